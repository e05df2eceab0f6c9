/** Replaces secrets by `***`. Masks are only added, never taken away, for the life of a job. */
import { maskedForms } from "./encodings.ts";
import { FormFinder } from "./form-finder.ts";

export class Masker {
  readonly #forms = new Set<string>();
  #finder: FormFinder | undefined;
  #longest = 0;

  constructor(secrets: Iterable<string> = []) {
    for (const secret of secrets) this.add(secret);
  }

  /** Length of the longest form: how much of a cut text may be the start of a secret. */
  get longest(): number {
    return this.#longest;
  }

  /** False when there is nothing to mask in the value. */
  add(secret: string): boolean {
    const forms = maskedForms(secret);
    for (const form of forms) {
      this.#forms.add(form);
      this.#longest = Math.max(this.#longest, form.length);
    }
    if (forms.length > 0) this.#finder = undefined;
    return forms.length > 0;
  }

  holdsSecret(text: string): boolean {
    return this.#ranges(text).length > 0;
  }

  mask(text: string): string {
    let out = "";
    let at = 0;
    for (const [start, end] of this.#ranges(text)) {
      out += `${text.slice(at, start)}***`;
      at = end;
    }
    return at === 0 ? text : out + text.slice(at);
  }

  /** The text cut to about `limit` units and masked; never cut inside a secret, which would leave half of it. */
  maskCut(text: string, limit: number): string {
    if (text.length <= limit) return this.mask(text);
    const head = text.slice(0, limit + this.#longest);
    const across = this.#ranges(head).find(([start, end]) => start < limit && end > limit);
    return this.mask(head.slice(0, across?.[1] ?? limit));
  }

  /** Places of secrets in order, those that touch or overlap made one. */
  #ranges(text: string): [number, number][] {
    if (this.#forms.size === 0) return [];
    this.#finder ??= new FormFinder(this.#forms);
    const found = this.#finder.find(text);
    found.sort((a, b) => a[0] - b[0]);
    const merged: [number, number][] = [];
    for (const [start, end] of found) {
      const last = merged.at(-1);
      if (last !== undefined && start <= last[1]) last[1] = Math.max(last[1], end);
      else merged.push([start, end]);
    }
    return merged;
  }
}
