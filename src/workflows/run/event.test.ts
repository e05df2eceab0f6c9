import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { eventPayload } from "./event.ts";

test("the event of a dispatch has its inputs as text, whatever their types", () => {
  const told = {
    id: "1",
    name: "workflow_dispatch",
    repository: "acme/shop",
    ref: "refs/heads/main",
    sha: "7",
  } as const;
  const facts = {
    repository: { id: 1, defaultBranch: "main", private: true },
    commits: [],
    serverUrl: "http://x",
    apiUrl: "http://x/api/v3",
  };
  const inputs = { debug: false, count: 4.5, name: "a", none: "" };
  const payload = eventPayload({ ...told, actor: "ada", workflow: "ci.yml", inputs }, facts);
  deepEqual(payload["inputs"], { debug: "false", count: "4.5", name: "a", none: "" });
});
