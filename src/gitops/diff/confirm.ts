/**
 * Asks the server what applying would really change: defaults and normal forms that only it knows make objects look
 * different that are not. The answer is kept until the object or its target changes.
 */
import type { AnyObject, ResourceIgnoreDifferences } from "#api";
import { isAbort, sha256Hex } from "#lib";
import type { Cluster } from "#kube";
import { revised, type ComparedObject, type Comparison } from "../compare.ts";
import { applyPatch, fieldManager } from "../sync/apply.ts";
import { difference } from "./compare-object.ts";

const keptAnswers = 5_000;

export class DifferenceConfirmer {
  readonly #cluster: Cluster;
  readonly #answers = new Map<string, boolean>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  async confirm(
    comparison: Comparison,
    rules: readonly ResourceIgnoreDifferences[],
    signal: AbortSignal,
  ): Promise<Comparison> {
    const objects: ComparedObject[] = [];
    for (const object of comparison.objects) objects.push(await this.#confirmOne(object, rules, signal));
    return revised(comparison, objects);
  }

  async #confirmOne(
    object: ComparedObject,
    rules: readonly ResourceIgnoreDifferences[],
    signal: AbortSignal,
  ): Promise<ComparedObject> {
    const { target, live } = object;
    if (target === undefined || live === undefined || object.difference?.modified !== true) return object;
    const question = `${live.metadata.uid}:${live.metadata.resourceVersion}:${sha256Hex(JSON.stringify([target, rules]))}`;
    const modified = this.#answers.get(question) ?? (await this.#ask(target, live, rules, signal));
    this.#remember(question, modified);
    return modified ? object : { ...object, status: "Synced", difference: { ...object.difference, modified } };
  }

  /** A refusal says nothing about equality: the difference stands, and the sync will name the refusal. */
  async #ask(
    target: AnyObject,
    live: AnyObject,
    rules: readonly ResourceIgnoreDifferences[],
    signal: AbortSignal,
  ): Promise<boolean> {
    const type = this.#cluster.resolveType(target.apiVersion, target.kind);
    if (type === undefined) return true;
    const { name, namespace } = live.metadata;
    const place = { name, ...(namespace === undefined ? {} : { namespace }) };
    try {
      const patch = applyPatch(target, live) ?? {};
      const options = { dryRun: true, fieldManager, signal };
      const predicted = await this.#cluster.patch<AnyObject>(type, place, { type: "merge", patch }, options);
      return difference(live, predicted, rules).modified;
    } catch (error) {
      if (signal.aborted || isAbort(error)) throw error;
      return true;
    }
  }

  #remember(question: string, modified: boolean): void {
    this.#answers.delete(question);
    this.#answers.set(question, modified);
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > keptAnswers && oldest !== undefined) this.#answers.delete(oldest);
  }
}
