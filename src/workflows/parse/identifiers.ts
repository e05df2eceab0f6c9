/** Ids of jobs and steps: what may be one, and the ones made for steps that have none. */

const maxLength = 100;

/** What is wrong with an id, with its remedy; undefined when nothing is. */
export function idProblem(what: string, id: string): string | undefined {
  if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(id)) {
    return `${what} "${id}" is no name. Start with a letter or _, then letters, digits, - and _`;
  }
  if (id.length >= maxLength) return `${what} "${id}" has ${id.length} characters. Use fewer than ${maxLength}`;
  if (id.startsWith("__")) return `${what} "${id}" starts with "__", which is reserved. Start with another character`;
  return undefined;
}

/** Names for the steps of one job, each given out once; case does not count. */
export class ContextNames {
  readonly #taken: Set<string>;
  /** How often a base was asked for; what is taken stays taken, so no number is tried twice. */
  readonly #counts = new Map<string, number>();

  /** @param ids of the steps that have one */
  constructor(ids: Iterable<string>) {
    this.#taken = new Set([...ids].map((id) => id.toLowerCase()));
  }

  /** `actions/checkout` is `__actions_checkout`, the next one `__actions_checkout_2`. */
  make(subject: string): string {
    const base = `__${subject.replaceAll(/[^A-Za-z0-9_-]/g, "_")}`;
    for (let count = (this.#counts.get(base) ?? 0) + 1; ; count += 1) {
      const suffix = count === 1 ? "" : `_${count}`;
      const name = `${base.slice(0, maxLength - suffix.length)}${suffix}`;
      if (this.#taken.has(name.toLowerCase())) continue;
      this.#taken.add(name.toLowerCase());
      this.#counts.set(base, count);
      return name;
    }
  }
}

/** What a step without an id is named by. */
export function stepSubject(uses: string | undefined): string {
  if (uses === undefined) return "run";
  if (uses.startsWith("docker://")) return uses.slice("docker://".length);
  if (uses.startsWith("./") || uses.startsWith("$/")) return "self";
  const path = uses.replace(/@[^@]*$/, "").replace(/^https?:\/\/[^/]+\//, "");
  return path.split("/").slice(0, 2).join("/");
}
