/** The rules of commits, as their files and the installation say them. */
import type { PortOptions } from "../ports.ts";
import { actionLockPath } from "./lock.ts";
import { actionPolicyPath } from "./policy.ts";
import type { ActionSourcePort } from "./ports.ts";
import type { ActionResolver, ActionRules, RuleTexts } from "./resolver.ts";

/** Which commits of a repository speak. */
export interface RulePlace {
  readonly repository: string;
  /** Whose lock counts. */
  readonly sha: string;
  /** Whose policy counts: what a stranger proposes must not loosen what it is measured by. */
  readonly policySha: string | undefined;
}

/** Files of a commit never change, so they are read once; so many are kept. */
const kept = 200;

export class RuleBook {
  readonly #source: ActionSourcePort;
  readonly #resolver: ActionResolver;
  readonly #texts = new Map<string, RuleTexts>();

  constructor(source: ActionSourcePort, resolver: ActionResolver) {
    this.#source = source;
    this.#resolver = resolver;
  }

  async rules({ repository, sha, policySha }: RulePlace, { signal }: PortOptions): Promise<ActionRules> {
    const { lock } = await this.#read(repository, sha, signal);
    const { policy } = await this.#read(repository, policySha, signal);
    const texts = { ...(lock === undefined ? {} : { lock }), ...(policy === undefined ? {} : { policy }) };
    return await this.#resolver.rules(texts, signal);
  }

  async #read(repository: string, sha: string | undefined, signal: AbortSignal): Promise<RuleTexts> {
    if (sha === undefined) return {};
    const key = `${repository}@${sha}`;
    const known = this.#texts.get(key);
    if (known !== undefined) return known;
    const found = await this.#source.local(repository, { signal });
    if (found === undefined) return {};
    const [policy, lock] = await Promise.all([
      found.readFile(sha, actionPolicyPath, { signal }),
      found.readFile(sha, actionLockPath, { signal }),
    ]);
    const texts = { ...(policy === undefined ? {} : { policy }), ...(lock === undefined ? {} : { lock }) };
    this.#texts.set(key, texts);
    const [oldest] = this.#texts.keys();
    if (this.#texts.size > kept && oldest !== undefined) this.#texts.delete(oldest);
    return texts;
  }
}
