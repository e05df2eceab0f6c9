/** A repository in memory, for tests. */
import { memoryTree } from "#render";
import type { SourcePort } from "./ports.ts";

/** Commits are numbered; every branch name means the newest one. */
export class SourceFake implements SourcePort {
  readonly #commits: Readonly<Record<string, string>>[] = [];
  readonly url: string;
  resolutions = 0;

  constructor(url: string, files: Readonly<Record<string, string>>) {
    this.url = url;
    this.commit(files);
  }

  /** The commit's id. */
  commit(files: Readonly<Record<string, string>>): string {
    this.#commits.push(files);
    return this.head;
  }

  get head(): string {
    return shaOf(this.#commits.length);
  }

  resolve(_repoURL: string, targetRevision: string): Promise<{ revision: string }> {
    this.resolutions += 1;
    const known = this.#commits.some((_files, index) => shaOf(index + 1) === targetRevision);
    return Promise.resolve({ revision: known ? targetRevision : this.head });
  }

  open(_repoURL: string, revision: string): ReturnType<SourcePort["open"]> {
    const files = this.#commits[Number(revision) - 1];
    if (files === undefined) return Promise.reject(new Error(`no commit ${revision}`));
    return Promise.resolve(memoryTree(files));
  }

  matches(repoURL: string, pushedRepository: string): boolean {
    return repoURL === pushedRepository;
  }

  announces(): boolean {
    return true;
  }
}

function shaOf(number: number): string {
  return String(number).padStart(40, "0");
}
