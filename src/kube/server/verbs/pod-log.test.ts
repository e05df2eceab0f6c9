import assert from "node:assert/strict";
import { test } from "node:test";
import { KubeError } from "../../client/kube-error.ts";
import { logRange } from "./pod-log.ts";

test("the range of a log is read from the query", () => {
  const query = new URLSearchParams("tailLines=0&limitBytes=10&sinceTime=2026-01-01T00:00:00%2B01:00");
  const { sinceTime, ...rest } = logRange(query, "web");
  assert.deepEqual(rest, { tailLines: 0, limitBytes: 10 });
  assert.equal(sinceTime?.toString(), "2025-12-31T23:00:00Z");
  assert.deepEqual(logRange(new URLSearchParams("follow=true"), "web"), {});
});

const refused: readonly { readonly query: string; readonly code: number; readonly message: RegExp }[] = [
  {
    query: "tailLines=-1",
    code: 422,
    message: /^PodLogOptions "web" is invalid: tailLines: .*greater than or equal to 0/,
  },
  { query: "limitBytes=0", code: 422, message: /limitBytes: Invalid value: 0: must be greater than 0/ },
  { query: "sinceSeconds=0", code: 422, message: /sinceSeconds: Invalid value: 0: must be greater than 0/ },
  {
    query: "sinceSeconds=5&sinceTime=2026-01-01T00:00:00Z",
    code: 422,
    message: /at most one of `sinceTime` or `sinceSeconds`/,
  },
  { query: "stream=Stdout", code: 422, message: /stream: Forbidden: may not be specified/ },
  { query: "tailLines=ten", code: 400, message: /"tailLines" must be a whole number: found "ten"/ },
  {
    query: "sinceTime=yesterday",
    code: 400,
    message: /"sinceTime" must be a time as RFC 3339 has it: found "yesterday"/,
  },
];
for (const { query, code, message } of refused) {
  test(`${query} is refused`, () => {
    assert.throws(
      () => logRange(new URLSearchParams(query), "web"),
      (error) => error instanceof KubeError && error.httpCode === code && message.test(error.message),
    );
  });
}
