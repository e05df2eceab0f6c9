/** The client of a Kubernetes API against our own face of it, over real sockets. */
import assert from "node:assert/strict";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { type ConfigMap, configMaps, type CustomResourceDefinition, customResourceDefinitions, namespaces } from "#api";
import { silentLog, systemClock } from "#lib";
import { startFace, token } from "../../server/http/testing.ts";
import type { WatchEvent } from "../cluster.ts";
import { isKubeError } from "../kube-error.ts";
import { readKubeconfig } from "./kubeconfig.ts";
import { connectRemoteCluster, type RemoteCluster } from "./remote-cluster.ts";

const signal = AbortSignal.timeout(50_000);
const write = { signal };

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tidegate-remote-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function writeConfig(folder: string, server: string, user: object): Promise<string> {
  const file = join(folder, "config");
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "one",
    clusters: [{ name: "c", cluster: { server } }],
    users: [{ name: "u", user }],
    contexts: [{ name: "one", context: { cluster: "c", user: "u" } }],
  };
  await writeFile(file, JSON.stringify(config));
  return file;
}

async function connect(file: string, env: Record<string, string> = {}): Promise<RemoteCluster> {
  const connection = await readKubeconfig({ file, env, clock: systemClock });
  return await connectRemoteCluster({ connection, clock: systemClock, log: silentLog, signal });
}

async function start(t: TestContext): Promise<RemoteCluster> {
  const app = await startFace(t);
  const address = await app.listen({ port: 0, host: "127.0.0.1" });
  const cluster = await connect(await writeConfig(await folderOf(t), `${address}/kube`, { token }));
  t.after(() => cluster[Symbol.asyncDispose]());
  return cluster;
}

function configMap(name: string, data: Record<string, string> = {}): ConfigMap {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "default" }, data };
}

const place = { namespace: "default", name: "a" };

test("every verb does what the port says", async (t) => {
  const cluster = await start(t);
  assert.equal(await cluster.get(configMaps, place, write), undefined);
  const made = await cluster.create(configMaps, configMap("a", { k: "1" }), { ...write, fieldManager: "me" });
  assert.match(JSON.stringify(made.metadata.managedFields), /"manager":"me"/);
  const updated = await cluster.update(configMaps, { ...made, data: { k: "2" } }, write);
  await assert.rejects(cluster.update(configMaps, made, write), (error) => isKubeError(error, "Conflict"));
  await cluster.patch(configMaps, place, { type: "merge", patch: { data: { l: "3" } } }, write);
  await cluster.patch(configMaps, place, { type: "json", patch: [{ op: "remove", path: "/data/k" }] }, write);
  await cluster.patch(
    configMaps,
    place,
    { type: "strategic", patch: { data: { m: "4" } } },
    { ...write, dryRun: true },
  );
  assert.deepEqual((await cluster.get(configMaps, place, write))?.data, { l: "3" });
  const preconditions = { uid: "another" };
  await assert.rejects(cluster.delete(configMaps, place, { signal, preconditions }), (error) =>
    isKubeError(error, "Conflict"),
  );
  await cluster.delete(configMaps, place, { signal, preconditions: { uid: updated.metadata.uid ?? "" } });
  assert.equal(await cluster.get(configMaps, place, write), undefined);
  await assert.rejects(cluster.delete(configMaps, place, write), (error) => isKubeError(error, "NotFound"));
  await assert.rejects(cluster.create(configMaps, configMap("Not A Name"), write), (error) =>
    isKubeError(error, "Invalid"),
  );
});

test("a list of more than one part is whole, and its objects say what they are", async (t) => {
  const cluster = await start(t);
  const names = Array.from({ length: 620 }, (_, index) => `m${String(index).padStart(4, "0")}`);
  await Promise.all(names.map((name) => cluster.create(configMaps, configMap(name), write)));
  const { items } = await cluster.list(configMaps, { signal, namespace: "default" });
  assert.deepEqual(
    items.map((item) => item.metadata.name).filter((name) => name.startsWith("m")),
    names,
  );
  assert.ok(items.every((item) => item.kind === "ConfigMap" && item.apiVersion === "v1"));
});

/** A connection that breaks before the answer does not say whether it was done. */
async function createOnce(cluster: RemoteCluster, object: ConfigMap): Promise<void> {
  try {
    await cluster.create(configMaps, object, write);
  } catch (error) {
    if (isKubeError(error, "AlreadyExists")) return;
    if (!isKubeError(error, "ServiceUnavailable")) throw error;
    await createOnce(cluster, object);
  }
}

test("a watch misses nothing when its connections break, and says when its version is gone", async (t) => {
  const app = await startFace(t);
  const address = await app.listen({ port: 0, host: "127.0.0.1" });
  const cluster = await connect(await writeConfig(await folderOf(t), `${address}/kube`, { token }));
  t.after(() => cluster[Symbol.asyncDispose]());
  const { resourceVersion } = await cluster.list(configMaps, { signal });
  const seen: WatchEvent<ConfigMap>[] = [];
  const expected = 20;
  const all = (async () => {
    for await (const event of cluster.watch(configMaps, { signal, resourceVersion, namespace: "default" })) {
      if (event.type !== "BOOKMARK") seen.push(event);
      if (seen.length === expected) return;
    }
  })();
  for (let index = 0; index < expected; index++) {
    await createOnce(cluster, configMap(`w${index}`));
    // Every third time, all sockets are cut under it.
    if (index % 3 === 0) app.server.closeAllConnections();
  }
  await all;
  assert.deepEqual(
    seen.map((event) => (event.type === "BOOKMARK" ? "" : `${event.type} ${event.object.metadata.name}`)),
    Array.from({ length: expected }, (_, index) => `ADDED w${index}`),
  );
  const future = cluster.watch(configMaps, { signal, resourceVersion: "1" })[Symbol.asyncIterator]();
  await future.next().catch((error: unknown) => assert.ok(isKubeError(error, "Expired"), String(error)));
  await future.return?.();
});

test("a kind is known as soon as its definition is served", async (t) => {
  const cluster = await start(t);
  assert.equal(cluster.resolveType("v1", "Namespace")?.plural, namespaces.plural);
  assert.equal(cluster.resolveType("example.com/v1", "Boat"), undefined);
  const definition: CustomResourceDefinition = {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "boats.example.com" },
    spec: {
      group: "example.com",
      scope: "Namespaced",
      names: { plural: "boats", kind: "Boat" },
      versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } }],
    },
  };
  await cluster.create(customResourceDefinitions, definition, write);
  while (cluster.resolveType("example.com/v1", "Boat") === undefined) await systemClock.sleep(10, signal);
  const type = cluster.resolveType("example.com/v1", "Boat");
  assert.deepEqual([type?.plural, type?.namespaced], ["boats", true]);
});

test("a program of the kubeconfig logs in, once until it is refused; its failure is told without what it printed", async (t) => {
  const app = await startFace(t);
  const address = await app.listen({ port: 0, host: "127.0.0.1" });
  const folder = await folderOf(t);
  const program = join(folder, "login");
  const credential = { apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential", status: { token } };
  const script = `#!/bin/sh\necho asked >> "${join(folder, "asked")}"\n[ "$MODE" = good ] && echo '${JSON.stringify(credential)}' || { echo s3cret; exit 3; }\n`;
  await writeFile(program, script);
  await chmod(program, 0o755);
  const exec = (mode: string): object => ({
    exec: { apiVersion: credential.apiVersion, command: "./login", env: [{ name: "MODE", value: mode }] },
  });
  const cluster = await connect(await writeConfig(folder, `${address}/kube`, exec("good")), { PATH: "/usr/bin:/bin" });
  t.after(() => cluster[Symbol.asyncDispose]());
  await Promise.all([cluster.list(namespaces, { signal }), cluster.list(configMaps, { signal })]);
  assert.equal(await readFile(join(folder, "asked"), "utf8"), "asked\n");
  const refused = connect(await writeConfig(folder, `${address}/kube`, exec("bad")), { PATH: "/usr/bin:/bin" });
  await assert.rejects(
    refused,
    (error: Error) => /with ".\/login": it ended with 3/.test(error.message) && !error.message.includes("s3cret"),
  );
});

test("what is wrong with a kubeconfig, or with the way to the server, is said plainly", async (t) => {
  const folder = await folderOf(t);
  const file = await writeConfig(folder, "http://127.0.0.1:1", { token: "s3cret" });
  const unknown = readKubeconfig({ file, context: "two", env: {}, clock: systemClock });
  await assert.rejects(unknown, /it has no context "two"; it has one/);
  await assert.rejects(
    readKubeconfig({ file: join(folder, "none"), env: {}, clock: systemClock }),
    /Cannot read .*none/,
  );
  await assert.rejects(connect(file), (error: Error) => {
    return (
      isKubeError(error, "ServiceUnavailable") &&
      /Cannot reach the cluster .*ECONNREFUSED/.test(error.message) &&
      !error.message.includes("s3cret")
    );
  });
});
