/** `NAME=value` as flags and files give them. */
import { readFile } from "node:fs/promises";
import { parseEnv } from "node:util";
import { errorCode } from "#lib";
import { CliError } from "../errors.ts";

export type Pairs = Record<string, string>;

/** @param flag for the message, e.g. `--env` */
export function readPairs(words: readonly string[], flag: string): Pairs {
  const pairs: Pairs = {};
  for (const word of words) {
    const [name, value] = splitPair(word);
    if (value === undefined)
      throw new CliError("cli/usage", `${flag} takes NAME=value: "${word}" has no "=". Write ${flag} ${word}=value`);
    pairs[name] = value;
  }
  return pairs;
}

/** The value is undefined where there is no `=`. */
export function splitPair(word: string, separator = "="): readonly [string, string | undefined] {
  const at = word.indexOf(separator);
  return at < 0 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)];
}

/** `--matrix os:ubuntu-latest`, several of a key together. */
export function readMatrix(words: readonly string[]): Record<string, string[]> {
  const matrix: Record<string, string[]> = {};
  for (const word of words) {
    const [key, value] = splitPair(word, ":");
    if (value === undefined || key === "")
      throw new CliError("cli/usage", `--matrix takes key:value: "${word}" is not one. Write --matrix ${word}:value`);
    (matrix[key] ??= []).push(value);
  }
  return matrix;
}

/**
 * A file as `.env` files are written. One that nobody named is read where it is there.
 *
 * @param usual its name when nobody says another
 */
export async function readPairsFile(named: string | undefined, usual: string): Promise<Pairs> {
  try {
    const parsed = parseEnv(await readFile(named ?? usual, "utf8"));
    return Object.fromEntries(Object.entries(parsed).flatMap(([k, v]) => (v === undefined ? [] : [[k, v]])));
  } catch (error) {
    const code = errorCode(error);
    if (named === undefined && (code === "ENOENT" || code === "EISDIR")) return {};
    if (code === "ENOENT" || code === "EISDIR")
      throw new CliError("cli/usage", `Cannot read "${named}": there is no such file`);
    throw error;
  }
}
