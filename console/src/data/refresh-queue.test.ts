import assert from "node:assert/strict";
import { test } from "node:test";
import { RefreshQueue } from "./refresh-queue.ts";

test("notices during a refetch cause exactly one more after it", async () => {
  const begun: string[] = [];
  const finish: (() => void)[] = [];
  const queue = new RefreshQueue((key) => {
    begun.push(key);
    return new Promise((resolve) => {
      finish.push(resolve);
    });
  });
  queue.request("a");
  queue.request("a");
  queue.request("a");
  queue.request("b");
  assert.deepEqual(begun, ["a", "b"]);
  finish[0]?.();
  await Promise.resolve();
  assert.deepEqual(begun, ["a", "b", "a"]);
  finish[2]?.();
  await Promise.resolve();
  assert.deepEqual(begun, ["a", "b", "a"]);
});

test("a refetch that fails does not block the next", async () => {
  let calls = 0;
  const queue = new RefreshQueue(() => {
    calls++;
    return Promise.reject(new Error("no answer"));
  });
  queue.request("a");
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  queue.request("a");
  assert.equal(calls, 2);
});
