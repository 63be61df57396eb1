// Surrogates: the one thing a string can hold that UTF-8 can't.

/** What is wrong with the character at `i`, when it is half of a surrogate pair without the other; else undefined. */
export function halfPair(text: string, i: number): string | undefined {
  const c = text.charCodeAt(i);
  if (c < 0xd800 || c > 0xdfff) return undefined;
  const other = text.charCodeAt(c < 0xdc00 ? i + 1 : i - 1);
  return (other & 0xfc00) === (c < 0xdc00 ? 0xdc00 : 0xd800)
    ? undefined
    : `has half of a surrogate pair at index ${i}: it can't be sent as UTF-8`;
}
