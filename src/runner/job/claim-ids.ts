/**
 * The claim ids of a runner's slots, on disk before control hears of them: control may give a job to a claim whose runner
 * dies before it has the answer, or before it has noted the job. Its next life asks again by the same id and gets the
 * same job; without that, the job would stand still until its lease is over.
 */
import { join } from "node:path";
import { type Ids, readFileIfExists, writeFileWhole } from "#lib";

export class ClaimIds {
  readonly #folder: string;
  readonly #ids: Ids;

  constructor(folder: string, ids: Ids) {
    this.#folder = folder;
    this.#ids = ids;
  }

  /** @param used ids of claims whose jobs are noted: those are given back, not taken again */
  async first(slot: number, used: ReadonlySet<string>): Promise<string> {
    const left = (await readFileIfExists(this.#file(slot)))?.trim() ?? "";
    return left === "" || used.has(left) ? this.next(slot) : left;
  }

  next(slot: number): string {
    const id = this.#ids.uuid();
    writeFileWhole(this.#file(slot), id);
    return id;
  }

  #file(slot: number): string {
    return join(this.#folder, `slot-${slot}`);
  }
}
