/** A line typed at a terminal that shows nothing of it. Pure. */

/** `typing` goes on with the next keys; the other states are the end. */
export type TypedLine = { readonly state: "typing" | "done" | "interrupted"; readonly text: string };

export const emptyLine: TypedLine = { state: "typing", text: "" };

const keys = {
  interrupt: "\u0003",
  endOfInput: "\u0004",
  backspace: "\b",
  killLine: "\u0015",
  delete: "\u007f",
} as const;

/** The line after some keys; what follows its end is dropped. */
export function typeKeys(line: TypedLine, input: string): TypedLine {
  let { text } = line;
  for (const key of input) {
    if (key === "\r" || key === "\n") return { state: "done", text };
    if (key === keys.interrupt) return { state: "interrupted", text: "" };
    if (key === keys.endOfInput) return text === "" ? { state: "interrupted", text } : { state: "done", text };
    if (key === keys.killLine) text = "";
    else if (key === keys.backspace || key === keys.delete) text = text.replace(/.$/su, "");
    else text += key;
  }
  return { state: "typing", text };
}

/**
 * What was piped in, without the line end that `echo` adds to one line. A value of several lines, such as a private key,
 * is kept to the byte: some readers of keys refuse one without its last line end.
 */
export function pipedValue(text: string): string {
  const line = text.replace(/\r?\n$/, "");
  return line.includes("\n") ? text : line;
}
