// Lacking: what is said to who wants something of the extras, in a page that was not given them.

/** `what` is a plural. */
export function lacking(what: string): string {
  return `${what} need the extras in this runtime: NatsServer.start({ extras }), with those of isonats/server/extras`;
}
