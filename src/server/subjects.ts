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

/** There is a subject that both match. */
export function subjectsCollide(a: string, b: string): boolean {
  const [x, y] = [a.split("."), b.split(".")];
  for (let i = 0; i < Math.max(x.length, y.length); i++) {
    const [p, q] = [x[i], y[i]];
    if (p === undefined || q === undefined) return false;
    if (p === ">" || q === ">") return true;
    if (p !== q && p !== "*" && q !== "*") return false;
  }
  return true;
}

/** All that `inner` matches, `outer` does too. */
export function subjectCovers(outer: string, inner: string): boolean {
  const [x, y] = [outer.split("."), inner.split(".")];
  for (const [i, p] of x.entries()) {
    const q = y[i];
    if (q === undefined) return false;
    if (p === ">") return true;
    if (q === ">" || (p !== "*" && p !== q)) return false;
  }
  return x.length === y.length;
}
