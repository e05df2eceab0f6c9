/**
 * Each job's token lives from its claim to its end. `token_live` is set by the claim, before the token is made, and cleared
 * after it is gone, so that a crash in between leaves no token behind: the next start ends it.
 */
import { KeyedLock } from "#lib";
import type { JobTokenRequest } from "../ports.ts";
import type { RunParts } from "./parts.ts";
import { findJob } from "./run-store.ts";

export class JobTokens {
  readonly #parts: RunParts;
  /** Keeps the end of one try's token apart from the beginning of the next one's. */
  readonly #lock = new KeyedLock();

  constructor(parts: RunParts) {
    this.#parts = parts;
  }

  async mint(job: JobTokenRequest, signal: AbortSignal): Promise<string> {
    return await this.#lock.run(job.jobId, async () => {
      await this.#parts.tokens.revoke(job.jobId, { signal });
      return await this.#parts.tokens.mint(job, { signal });
    });
  }

  /** Ends the token in the background, unless a new try of the job has begun. */
  revoke(jobId: string): void {
    this.#parts.tasks.start("revoke job token", async (signal) => {
      await this.#lock.run(jobId, async () => {
        const job = await findJob(this.#parts.db, Number(jobId));
        if (job === undefined || job.token_live === 0 || job.status === "in_progress") return;
        await this.#parts.tokens.revoke(jobId, { signal });
        await this.#noteGone(job.id);
      });
    });
  }

  /** Ends the tokens that an earlier process could not. */
  async revokeEnded(): Promise<void> {
    const live = await this.#parts.db
      .selectFrom("workflows_jobs")
      .select("id")
      .where("token_live", "=", 1)
      .where("status", "!=", "in_progress")
      .execute();
    for (const job of live) this.revoke(String(job.id));
  }

  async #noteGone(id: number): Promise<void> {
    await this.#parts.db.updateTable("workflows_jobs").set({ token_live: 0 }).where("id", "=", id).execute();
  }
}
