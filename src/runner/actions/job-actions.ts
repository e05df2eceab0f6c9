/** The actions of one job: asked for together before the first step, fetched once, unpacked into the job's own folder. */
import { join } from "node:path";
import { parseActionReference, type ActionAnswer, type ActionArchive, type ActionAsk } from "#workflows";
import { StepFailure } from "../errors.ts";
import { findBuiltin } from "./registry-of-builtins.ts";

/** Whoever knows where actions are. */
export interface ActionDelivery {
  /** One answer for each question, in their order. */
  resolve(asks: readonly ActionAsk[], signal: AbortSignal): Promise<readonly ActionAnswer[]>;
  /** Puts the files of the archive into the folder, which appears with all of them. */
  unpack(archive: ActionArchive, folder: string, signal: AbortSignal): Promise<void>;
}

export type ObtainedAction =
  | { readonly kind: "built-in" }
  /** `root`: where the files of the whole repository are. */
  | { readonly kind: "archive"; readonly archive: ActionArchive; readonly root: string }
  | { readonly kind: "refused"; readonly message: string };

export class JobActions {
  readonly #delivery: ActionDelivery;
  readonly #folder: string;
  readonly #answers = new Map<string, Promise<ActionAnswer>>();
  readonly #roots = new Map<string, { readonly sha: string; readonly unpacked: Promise<string> }>();
  readonly #states = new Map<string, Map<string, string>>();
  readonly #done = new Set<string>();

  /** @param folder of the job, for what is unpacked */
  constructor(delivery: ActionDelivery, folder: string) {
    this.#delivery = delivery;
    this.#folder = folder;
  }

  /** What each of the `uses` is; those that are not known yet are asked for in one request. */
  async obtain(uses: readonly string[], signal: AbortSignal): Promise<readonly ObtainedAction[]> {
    const fresh = [...new Set(uses)].filter((one) => !this.#answers.has(one));
    if (fresh.length > 0) {
      const asks = fresh.map((one) => ({ uses: one, builtIn: findBuiltin(one) !== undefined }));
      const answered = this.#delivery.resolve(asks, signal);
      // Whoever awaits it hears of a failure.
      answered.catch(() => {});
      for (const [index, one] of fresh.entries()) {
        const answer = answered.then((list) => required(list[index]));
        answer.catch(() => {});
        this.#answers.set(one, answer);
      }
    }
    return await Promise.all(uses.map(async (one) => await this.#obtained(one, signal)));
  }

  async #obtained(uses: string, signal: AbortSignal): Promise<ObtainedAction> {
    const answer = await required(this.#answers.get(uses));
    if (answer.kind !== "archive") return answer;
    return { kind: "archive", archive: answer, root: await this.#root(uses, answer, signal) };
  }

  async #root(uses: string, archive: ActionArchive, signal: AbortSignal): Promise<string> {
    const usual = join(this.#folder, ...folderNames(uses, archive));
    const taken = this.#roots.get(usual);
    // Two references may look the same once they are names of folders.
    const folder = taken === undefined || taken.sha === archive.sha ? usual : `${usual}-${archive.sha}`;
    const known = this.#roots.get(folder);
    if (known !== undefined) return await known.unpacked;
    const unpacked = this.#delivery.unpack(archive, folder, signal).then(() => folder);
    this.#roots.set(folder, { sha: archive.sha, unpacked });
    return await unpacked;
  }

  /** What the stages of one step keep for each other, by the step's place in the job. */
  stateOf(key: string): Map<string, string> {
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    const fresh = new Map<string, string>();
    this.#states.set(key, fresh);
    return fresh;
  }

  /** True the first time. */
  once(key: string): boolean {
    if (this.#done.has(key)) return false;
    this.#done.add(key);
    return true;
  }
}

/** As GitHub's runner has it, `owner/repo/ref`; programs print these paths. */
function folderNames(uses: string, { repository, sha }: ActionArchive): readonly string[] {
  const ref = parseActionReference(uses)?.ref ?? sha;
  const plain = (text: string): string => text.replaceAll(/[^\w.-]/g, "_").replace(/^\.+$/, "_");
  return [...repository.split("/").map(plain), plain(ref)];
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new StepFailure("Control answered fewer questions about actions than it was asked");
  return value;
}
