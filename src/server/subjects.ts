// Subjects: what the server takes, which is more than a client should send.

/** No token is empty, and `>` is the last one. */
export function isSubscribeSubject(subject: string): boolean {
  const tokens = subject.split(".");
  const rest = tokens.indexOf(">");
  return !tokens.includes("") && (rest < 0 || rest === tokens.length - 1);
}

/** No token is empty or a wildcard. Only pedantic clients are told. */
export function isPublishSubject(subject: string): boolean {
  return !subject.split(".").some((token) => token === "" || token === "*" || token === ">");
}
