import assert from "node:assert/strict";
import { test } from "node:test";
import { type Deployment, deployments, events } from "#api";
import { Informers } from "#controller";
import { openEmbeddedCluster } from "#kube";
import { silentLog } from "#lib";
import { ClockFake, idsFake } from "#lib/testing";
import { createDeploymentController } from "./deployment-controller.ts";

test("a ReplicaSet that the cluster refuses is told as event and condition", async () => {
  const { signal } = new AbortController();
  const stop = new AbortController();
  const [clock, ids, log] = [new ClockFake(), idsFake(), silentLog];
  await using cluster = openEmbeddedCluster({ file: ":memory:", clock, ids, log });
  await using informers = new Informers({ cluster, clock, log });
  // With the template's hash behind it the name is longer than a name may be.
  const name = "a".repeat(250);
  const labels = { app: "web" };
  const deployment: Deployment = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: "default" },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "c", image: "i" }] } },
    },
  };
  await cluster.create(deployments, deployment, { signal });
  const context = { cluster, informers, clock, ids, log, timeZone: "UTC" };
  const running = createDeploymentController(context).run(stop.signal);
  for (let tick = 0; tick < 60; tick++) await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  await running;

  const told = (await cluster.list(events, { signal })).items;
  assert.deepEqual(
    told.map(({ type, reason }) => [type, reason]),
    [["Warning", "ReplicaSetCreateError"]],
  );
  const present = await cluster.get(deployments, { namespace: "default", name }, { signal });
  const [progressing] = present?.status?.conditions ?? [];
  assert.deepEqual(
    [progressing?.type, progressing?.status, progressing?.reason],
    ["Progressing", "False", "ReplicaSetCreateError"],
  );
  assert.match(progressing?.message ?? "", /^Failed to create new replica set "a+-\w+": .*metadata\.name/);
});
