/** A line of text to words as a POSIX shell would, without its expansions: what `options`, `args` and `command` hold. */
import { StepFailure } from "../errors.ts";

/** Throws `StepFailure` for a quote that does not end. */
export function shellWords(line: string): string[] {
  const words: string[] = [];
  let word = "";
  let open = false;
  let quote: "'" | '"' | undefined;
  for (let at = 0; at < line.length; at++) {
    const char = line.charAt(at);
    if (quote !== undefined) {
      if (char === quote) quote = undefined;
      else if (quote === '"' && char === "\\" && /["\\$`]/.test(line.charAt(at + 1))) word += line.charAt(++at);
      else word += char;
    } else if (char === "'" || char === '"') {
      quote = char;
      open = true;
    } else if (char === "\\" && at + 1 < line.length) {
      word += line.charAt(++at);
      open = true;
    } else if (/\s/.test(char)) {
      if (open || word !== "") words.push(word);
      word = "";
      open = false;
    } else word += char;
  }
  if (quote !== undefined) throw new StepFailure(`Cannot read "${line}": the quote ${quote} does not end`);
  if (open || word !== "") words.push(word);
  return words;
}
