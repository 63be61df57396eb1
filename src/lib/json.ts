// JSON: parses, without errors that quote what they stumbled over: it may be nobody's to print.

/** `JSON.parse`, with an error that says what is wrong and shows nothing of the text. */
export function parseJson(text: string, reviver?: Parameters<typeof JSON.parse>[1]): unknown {
  try {
    return JSON.parse(text, reviver);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // the engines put double quotes around what is of the text, but for a single character
    throw new SyntaxError(error.message.replace(/[ ,.]*"[^]*/, ""));
  }
}
