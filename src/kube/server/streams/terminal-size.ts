/** Sizes of the client's terminal, as it sends them: JSON objects one after the other, cut anywhere. */
import { isObject } from "#lib";
import type { TerminalSize } from "../../ports.ts";

/** What is no size within this many characters never becomes one. */
const maxPending = 1024;

export class TerminalSizes {
  #text = "";

  /** The newest whole size in what came so far; undefined when there is none. */
  push(bytes: Uint8Array): TerminalSize | undefined {
    this.#text += Buffer.from(bytes).toString("latin1");
    const end = this.#text.lastIndexOf("}");
    const newest = end < 0 ? undefined : readSize(this.#text.slice(this.#text.lastIndexOf("{", end), end + 1));
    this.#text = end < 0 ? this.#text.slice(-maxPending) : this.#text.slice(end + 1);
    return newest;
  }
}

function readSize(text: string): TerminalSize | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (!isObject(value)) return undefined;
    const { Width: columns, Height: rows } = value;
    return isSize(columns) && isSize(rows) ? { columns, rows } : undefined;
  } catch {
    return undefined;
  }
}

/** A terminal's size has 16 bits. */
function isSize(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) > 0 && Number(value) <= 0xffff;
}
