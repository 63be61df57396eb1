// Go error: what the server has against a text, in the words of a server written in Go. It becomes part of an answer on the
// wire; nobody who uses the package sees it thrown.
export class GoError extends Error {}
