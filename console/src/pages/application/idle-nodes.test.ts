import assert from "node:assert/strict";
import { test } from "node:test";
import { idleNodes } from "./idle-nodes.ts";

function node(uid: string, kind: string, ready: string, parentUid = "rollout") {
  return {
    uid,
    kind,
    parentUid,
    group: "apps",
    version: "v1",
    namespace: "a",
    name: uid,
    info: ["revision 1", `ready ${ready}`],
  };
}

test("only a replica set that wants nothing and has nothing is idle", () => {
  const tree = [
    node("old", "ReplicaSet", "0/0"),
    node("ending", "ReplicaSet", "0/0"),
    node("last pod", "Pod", "1/1", "ending"),
    node("starting", "ReplicaSet", "0/2"),
    node("rollout", "Rollout", "0/0", "app"),
  ];
  assert.deepEqual([...idleNodes(tree)], ["old"]);
});
