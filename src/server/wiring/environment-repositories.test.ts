import assert from "node:assert/strict";
import { test } from "node:test";
import { GitError, type Repositories } from "#git";
import { PromotionError } from "#promotion";
import { environmentRepositories } from "./environment-repositories.ts";

const request = {
  repoURL: "http://localhost:7070/acme/env",
  branch: "main",
  message: "Update shop",
  trailers: {},
  edit: () => Promise.resolve(),
};

/** A throw that is no PromotionError is tried again; a PromotionError waits for a person. */
const cases = [
  { error: new Error("spawn git EAGAIN"), again: true },
  { error: new GitError("git/ref-conflict", "it moved during each of 5 attempts"), again: true },
  { error: new GitError("git/ref-refused", "cannot lock ref"), again: true },
  { error: new GitError("git/bad-name", "not a branch name"), again: false },
];
for (const { error, again } of cases) {
  test(`"${error.message}" ${again ? "is tried again" : "waits for a person"}`, async () => {
    const repositories = {
      get: () => Promise.resolve({ name: "acme/env" }),
      commit: () => Promise.reject(error),
    } as unknown as Repositories;
    const { signal } = new AbortController();
    await assert.rejects(environmentRepositories(repositories).commit(request, signal), (thrown) => {
      assert.equal(thrown instanceof PromotionError, !again);
      return true;
    });
  });
}
