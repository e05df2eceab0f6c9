import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import type { ContextObject } from "../protocol.ts";
import { runPayload } from "./run-payload.ts";
import type { RunRow } from "./schema.ts";

const urls = { serverUrl: "http://x", apiUrl: "http://x/api/v3" };

function told(row: Partial<RunRow>, event: ContextObject): ContextObject {
  const run = {
    id: 7,
    attempt: 1,
    repository: "acme/shop",
    path: ".github/workflows/ci.yml",
    name: "CI",
    number: 3,
    title: "Say four",
    ref: "refs/heads/main",
    sha: "a".repeat(40),
    actor: "ada",
    triggering_actor: "ada",
    event_name: "push",
    conclusion: "success",
    created_at: 0,
    started_at: null,
    completed_at: 1000,
    ...row,
    payload_json: JSON.stringify(event),
  } as unknown as RunRow;
  return runPayload(run, { action: "completed", attempt: 1 }, urls)["workflow_run"] as ContextObject;
}

const pull = (from: string) => ({
  pull_request: {
    id: 70,
    number: 5,
    head: { ref: "topic", sha: "b".repeat(40), repo: { full_name: from } },
    base: { ref: "main", sha: "c".repeat(40), repo: { full_name: "acme/shop" } },
  },
});
const tried = { event_name: "pull_request", ref: "refs/pull/5/merge", sha: "d".repeat(40) };

test("a run of a push is about the commit that was pushed", () => {
  const commit = { id: "a".repeat(40), message: "Say four\n\nAnd more" };
  const run = told({}, { head_commit: commit });
  deepEqual([run["head_branch"], run["head_sha"], run["pull_requests"]], ["main", "a".repeat(40), []]);
  deepEqual(run["head_commit"], commit);
  equal(run["artifacts_url"], "http://x/api/v3/repos/acme/shop/actions/runs/7/artifacts");
});

test("a run of a pull request is about its head, not about the merge that was tried, and names it", () => {
  const run = told(tried, pull("acme/shop"));
  deepEqual([run["head_branch"], run["head_sha"]], ["topic", "b".repeat(40)]);
  equal((run["head_commit"] as ContextObject)["id"], "b".repeat(40));
  const named = run["pull_requests"] as readonly { readonly number: number; readonly head: { readonly ref: string } }[];
  deepEqual(
    named.map(({ number, head }) => [number, head.ref]),
    [[5, "topic"]],
  );
});

test("a run of a fork's pull request names none, but the fork", () => {
  const run = told(tried, pull("eve/shop"));
  deepEqual(run["pull_requests"], []);
  equal((run["head_repository"] as ContextObject)["full_name"], "eve/shop");
});
