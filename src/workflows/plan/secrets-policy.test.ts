import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContextObject } from "../protocol.ts";
import { trustOf } from "./secrets-policy.ts";

function pullFrom(repo: ContextObject | null): ContextObject {
  return { pull_request: { head: { repo, ref: "fix" }, base: { repo: { full_name: "acme/shop" } } } };
}

const cases: readonly { name: string; eventName: string; payload: ContextObject; want: boolean }[] = [
  { name: "a push has secrets", eventName: "push", payload: {}, want: true },
  { name: "a dispatch has secrets", eventName: "workflow_dispatch", payload: {}, want: true },
  {
    name: "a pull request within the repository has secrets, whatever the case of its name",
    eventName: "pull_request",
    payload: pullFrom({ full_name: "Acme/Shop" }),
    want: true,
  },
  {
    name: "a pull request from a fork has none",
    eventName: "pull_request",
    payload: pullFrom({ full_name: "mallory/shop" }),
    want: false,
  },
  {
    name: "a pull request whose fork was deleted has none",
    eventName: "pull_request",
    payload: pullFrom(null),
    want: false,
  },
  {
    name: "a pull request that does not tell where its head is has none",
    eventName: "pull_request",
    payload: { pull_request: { base: { ref: "main" } } },
    want: false,
  },
  {
    name: "the repository of the event does not stand in for the head's",
    eventName: "pull_request",
    payload: { repository: { full_name: "acme/shop" }, pull_request: {} },
    want: false,
  },
  {
    name: "a review of a pull request from a fork has none",
    eventName: "pull_request_review",
    payload: pullFrom({ full_name: "mallory/shop" }),
    want: false,
  },
  {
    name: "the workflow of the base has secrets, wherever the head is",
    eventName: "pull_request_target",
    payload: pullFrom({ full_name: "mallory/shop" }),
    want: true,
  },
  { name: "a run that follows another has secrets", eventName: "workflow_run", payload: {}, want: true },
  { name: "an event that is not known here has none", eventName: "gollum", payload: {}, want: false },
];
for (const { name, eventName, payload, want } of cases) {
  test(name, () => {
    // Who may not read secrets may not write with the job's token either.
    const trust = trustOf({ eventName, repository: "acme/shop", payload });
    assert.deepEqual(trust, { secrets: want, readOnly: !want });
  });
}
