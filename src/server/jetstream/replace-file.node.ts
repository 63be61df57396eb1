// Replace file: puts a text where another one was, so that one of the two is there whenever the process ends.
import { renameSync, writeFileSync } from "node:fs";

export function replaceFile(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}
