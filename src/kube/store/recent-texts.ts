import type { AnyObject } from "#api";

/**
 * The JSON of objects that were stored or told lately, so that one text serves the file, the answer to the writer and
 * every watcher. It holds few: what is read much later is written out again rather than kept twice.
 */
export class RecentTexts {
  /** In the order of their coming. Stored objects are frozen, so a text stays true. */
  readonly #texts = new Map<AnyObject, string>();
  readonly #limit: number;

  constructor(limit = 512) {
    this.#limit = limit;
  }

  keep(object: AnyObject, text: string): void {
    this.#texts.set(object, text);
    if (this.#texts.size <= this.#limit) return;
    const oldest = this.#texts.keys().next();
    if (oldest.done !== true) this.#texts.delete(oldest.value);
  }

  of(object: AnyObject): string {
    const known = this.#texts.get(object);
    if (known !== undefined) return known;
    const text = JSON.stringify(object);
    // What can change has no lasting text.
    if (Object.isFrozen(object)) this.keep(object, text);
    return text;
  }
}
