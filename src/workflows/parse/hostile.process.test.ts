import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hasErrors, systemClock } from "#lib";
import { hostileFiles } from "./hostile.cases.ts";
import { WorkflowReader } from "./workflow-reader.ts";

describe("a hostile file is refused with its place", () => {
  const files = hostileFiles();
  const path = ".github/workflows/hostile.yml";
  const reader = new WorkflowReader(systemClock);
  test("there are a hundred of them", () => assert.ok(new Set(files.map((file) => file.name)).size >= 100));
  for (const { name, text } of files) {
    test(name, async () => {
      const { problems } = await reader.read(path, text);
      assert.ok(hasErrors(problems), "it has an error");
      assert.ok(problems.every(({ at }) => at?.file === path));
      assert.ok(problems.length <= 1_000 && problems.every(({ message }) => message.length < 60_000));
      assert.equal(Object.hasOwn(Object.prototype, "types"), false);
    });
  }
});
