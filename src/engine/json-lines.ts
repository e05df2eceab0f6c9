/** Newline-separated JSON, as the engine streams progress and events. */
import type { Readable } from "node:stream";
import { isObject } from "#lib";

/** A line of the engine's is some hundred bytes; what is far longer is not its. */
const maxLineBytes = 1024 * 1024;

export async function* jsonLines(source: Readable): AsyncIterable<Record<string, unknown>> {
  let rest = "";
  for await (const chunk of source) {
    const lines = (rest + String(chunk)).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > maxLineBytes) throw new Error("The engine sent a line that does not end");
    for (const line of lines) {
      const value = parsed(line);
      if (value !== undefined) yield value;
    }
  }
  const last = parsed(rest);
  if (last !== undefined) yield last;
}

function parsed(line: string): Record<string, unknown> | undefined {
  if (line.trim() === "") return undefined;
  const value: unknown = JSON.parse(line);
  return isObject(value) ? value : undefined;
}
