// One line: a text of somebody else's as a header can have it; what a handler threw, mostly.
import { utf8Decoder, utf8Encoder } from "./bytes.ts";

/** The text in one line of `most` characters: line breaks are blanks, and half of a surrogate pair is U+FFFD. */
export function oneLine(text: string, most: number = Infinity): string {
  const line = text.replace(/[\r\n]+/g, " ").slice(0, most);
  return utf8Decoder.decode(utf8Encoder.encode(line));
}
