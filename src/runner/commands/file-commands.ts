/** The grammar of GITHUB_ENV, GITHUB_OUTPUT, GITHUB_STATE and GITHUB_PATH files: pure. */
import { StepFailure } from "../errors.ts";

/** Larger than any step writes on purpose. */
export const maxFileCommandBytes = 10 * 1024 * 1024;

/**
 * `NAME=value`, or `NAME<<DELIMITER` … lines … `DELIMITER`. Throws `StepFailure` with the line that is wrong, once all
 * before it was given.
 */
export function* parseKeyValueFile(text: string, file: string): Generator<readonly [string, string]> {
  let at = 0;
  while (at < text.length) {
    const { line, next } = nextLine(text, at);
    at = next;
    if (line === "") continue;
    const equals = line.indexOf("=");
    const heredoc = line.indexOf("<<");
    if (equals >= 0 && (heredoc < 0 || equals < heredoc)) {
      const name = line.slice(0, equals);
      if (name === "") throw invalid(file, line, "the name is empty");
      yield [name, line.slice(equals + 1)];
    } else if (heredoc >= 0) {
      const body = readHeredoc(text, at, line, file);
      yield [line.slice(0, heredoc), body.value];
      at = body.next;
    } else throw invalid(file, line, "it has neither = nor <<");
  }
}

function readHeredoc(text: string, start: number, head: string, file: string): { value: string; next: number } {
  const split = head.indexOf("<<");
  const delimiter = head.slice(split + 2);
  if (head.slice(0, split) === "" || delimiter === "") throw invalid(file, head, "the name or the delimiter is empty");
  const lines: string[] = [];
  let at = start;
  while (at < text.length) {
    const { line, next, ended } = nextLine(text, at);
    at = next;
    if (line === delimiter) return { value: lines.join("\n"), next: at };
    if (!ended) throw invalid(file, head, `EOF marker missing new line: the file ends inside the value`);
    lines.push(line);
  }
  throw invalid(file, head, `Matching delimiter not found "${delimiter}"`);
}

function nextLine(text: string, from: number): { line: string; next: number; ended: boolean } {
  const end = text.indexOf("\n", from);
  if (end === -1) return { line: text.slice(from), next: text.length, ended: false };
  return { line: text.slice(from, end), next: end + 1, ended: true };
}

function invalid(file: string, line: string, what: string): StepFailure {
  // Only the name is shown: what follows may be a secret.
  const name = line.split(/=|<</)[0]?.slice(0, 100) ?? "";
  return new StepFailure(`Unable to process file command "${file}": invalid format at "${name}": ${what}`);
}

/** One folder a line; blank lines do not count. */
export function parsePathFile(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.replace(/\r$/, ""))
    .filter((line) => line.trim() !== "");
}

/** Later additions come first; one that comes again moves to the end of the additions. */
export function addPaths(before: readonly string[], added: readonly string[]): string[] {
  let paths = [...before];
  for (const path of added) paths = [...paths.filter((other) => other !== path), path];
  return paths;
}
