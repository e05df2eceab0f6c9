import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { type Job, jobs, type Pod, pods } from "#api";
import { openEmbeddedCluster } from "#kube";
import { silentLog, systemClock, systemIds } from "#lib";
import { runCluster, type Running, scratch } from "./harness.ts";

const signal = AbortSignal.timeout(100_000);
const completions = 12;

/** Each run of a pod leaves a file, so that what the job says can be held against what was run. */
function counting(folder: string): Job {
  const script = 'require("fs").writeFileSync(process.env.OUT + "/" + process.env.INDEX + "-" + process.pid, "")';
  const index = { fieldRef: { fieldPath: "metadata.annotations['batch.kubernetes.io/job-completion-index']" } };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: "count", namespace: "default" },
    spec: {
      completions,
      parallelism: 3,
      completionMode: "Indexed",
      template: {
        spec: {
          restartPolicy: "Never",
          containers: [
            {
              name: "one",
              image: "app:1",
              command: ["node", "-e", script],
              env: [
                { name: "OUT", value: folder },
                { name: "INDEX", valueFrom: index },
              ],
            },
          ],
        },
      },
    },
  };
}

async function startControl(folder: string): Promise<ChildProcess> {
  const main = join(import.meta.dirname, "job-control.ts");
  const control = spawn(process.execPath, [main, folder], { stdio: ["pipe", "pipe", "inherit"] });
  await once(control.stdout, "data");
  return control;
}

async function ended({ informers }: Pick<Running, "informers">, name: string): Promise<Job> {
  const informer = informers.for(jobs);
  await informer.synced();
  const { promise, resolve } = Promise.withResolvers<Job>();
  using _subscription = informer.subscribe(({ object }) => {
    const over = object.status?.conditions?.some(({ type }) => type === "Complete" || type === "Failed");
    if (object.metadata.name === name && over === true) resolve(object);
  });
  return await Promise.race([promise, once(signal, "abort").then(() => Promise.reject(signal.reason as Error))]);
}

function podsOf({ informers }: Pick<Running, "informers">): readonly Pod[] {
  return informers.for(pods).list("default");
}

test("kill -9 of the control process again and again: no pod of a job is counted twice or lost, and none is run twice", async () => {
  await using place = await scratch();
  const cluster = openEmbeddedCluster({
    file: join(place.folder, "cluster.db"),
    clock: systemClock,
    ids: systemIds,
    log: silentLog,
  });
  await cluster.create(jobs, counting(place.folder), { signal });
  await cluster[Symbol.asyncDispose]();
  // Killed at ever other moments: while pods are made, while they run, while they are counted.
  for (const ms of [60, 130, 210, 300, 400]) {
    const control = await startControl(place.folder);
    await systemClock.sleep(ms, signal);
    control.kill("SIGKILL");
    await once(control, "exit");
  }
  await using running = await runCluster(place);
  const { status } = await ended(running, "count");

  assert.deepEqual(
    [status?.succeeded, status?.failed, status?.completedIndexes],
    [completions, undefined, `0-${completions - 1}`],
  );
  assert.deepEqual(status?.uncountedTerminatedPods, {});
  const files = (await readdir(place.folder)).filter((name) => /^\d+-\d+$/.test(name));
  assert.equal(files.length, completions, `each index ran once: ${files.join(" ")}`);
  assert.equal(podsOf(running).length, completions);
  assert.ok(podsOf(running).every(({ metadata }) => (metadata.finalizers ?? []).length === 0));
});

test("a volume outlives the pods that use it, and goes with its claim", async () => {
  await using place = await scratch();
  await using running = await runCluster(place);
  const claim = {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: "notes", namespace: "default" },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Mi" } } },
  };
  const type = running.cluster.resolveType("v1", "PersistentVolumeClaim");
  assert.ok(type);
  await running.cluster.create(type, claim, { signal });
  for (const word of ["first", "second"]) {
    const script = `require("fs").appendFileSync("notes/list", "${word}\\n")`;
    const container = {
      name: "one",
      image: "app:1",
      command: ["node", "-e", script],
      volumeMounts: [{ name: "notes", mountPath: "/notes" }],
    };
    const volumes = [{ name: "notes", persistentVolumeClaim: { claimName: "notes" } }];
    const template = { spec: { restartPolicy: "Never" as const, containers: [container], volumes } };
    const job: Job = {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name: word, namespace: "default" },
      spec: { template },
    };
    await running.cluster.create(jobs, job, { signal });
    const { status } = await ended(running, word);
    assert.equal(status?.succeeded, 1);
  }
  const [folder = ""] = await readdir(join(place.folder, "volumes"));
  assert.equal(await readFile(join(place.folder, "volumes", folder, "list"), "utf8"), "first\nsecond\n");

  for (const name of ["first", "second"]) {
    await running.cluster.delete(jobs, { namespace: "default", name }, { propagationPolicy: "Foreground", signal });
  }
  await running.cluster.delete(type, { namespace: "default", name: "notes" }, { signal });
  while ((await readdir(join(place.folder, "volumes"))).length > 0) await systemClock.sleep(20, signal);
});
