import assert from "node:assert/strict";
import { test } from "node:test";
import type { GitErrorCode } from "#git";
import type { GitopsErrorCode } from "#gitops";
import type { SecretsErrorCode } from "#secrets";
import type { WorkflowsErrorCode } from "#workflows";
import { AppError } from "#lib";
import { statusOf } from "./api-error.ts";

/** Complete by its type: a code that a room adds has to be given its place here. */
const wanted: Record<GitErrorCode | GitopsErrorCode | SecretsErrorCode | WorkflowsErrorCode, number> = {
  "git/bad-name": 400,
  "git/bad-request": 400,
  "git/exists": 409,
  "git/not-found": 404,
  "git/ref-conflict": 409,
  "git/ref-refused": 400,
  "git/remote": 502,
  "git/too-large": 400,
  "git/unreadable": 500,
  "git/unsupported": 400,
  "gitops/automated": 409,
  "gitops/deleting": 409,
  "gitops/not-compared": 409,
  "gitops/not-found": 404,
  "gitops/operation-in-progress": 409,
  "gitops/unknown-history": 404,
  "secrets/busy-conflict": 409,
  "secrets/invalid-name": 400,
  "secrets/invalid-scope": 400,
  "secrets/invalid-value": 400,
  "secrets/key-damaged": 500,
  "secrets/key-missing": 500,
  "secrets/not-found": 404,
  "secrets/tampered": 500,
  "secrets/too-large": 400,
  "workflows/forbidden": 403,
  "workflows/inputs-invalid": 400,
  "workflows/lease-lost": 409,
  "workflows/not-found": 404,
  "workflows/not-possible-now": 409,
  "workflows/request-invalid": 400,
};

test("what a room refuses is told to whoever asked; only our own faults are 500", () => {
  const codes = Object.keys(wanted);
  const got = Object.fromEntries(codes.map((code) => [code, statusOf(new AppError(code, "no"))]));
  assert.deepEqual(got, wanted);
});
