/** What is measured of one server, from its start with nothing in it. */
import { setTimeout as delay } from "node:timers/promises";
import { Connection, type Target } from "./connection.ts";
import type { Contestant } from "./contestants.ts";

/** Names as they are printed. Of those that end in `/s` more is better, of the others less. */
export const measureNames = [
  "create Pods, 16 connections /s",
  "create ConfigMaps, 16 connections /s",
  "create Pods, 16 connections, CPU µs each",
  "create ConfigMaps, 16 connections, CPU µs each",
  "create Pods, 1 connection /s",
  "create ConfigMaps, 1 connection /s",
  "list of 5,000 Pods, p50 ms",
  "watch, 1 watcher, p50 ms",
  "watch, 1 watcher, p99 ms",
  "watch, 100 watchers, p50 ms",
  "watch, 100 watchers, p99 ms",
  "memory with 10,000 objects, MiB",
] as const;

export type MeasureName = (typeof measureNames)[number];
export type Figures = Record<MeasureName, number>;

const many = 5000;
const few = 500;
const lists = 10;
const pods = "/api/v1/namespaces/bench/pods";
const configMaps = "/api/v1/namespaces/bench/configmaps";

export async function measure({ target, memory, cpu }: Contestant, signal: AbortSignal): Promise<Figures> {
  for (const name of ["bench", "warm"]) {
    using connection = await Connection.open(target);
    await create(connection, "/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  }
  // A server that has just started compiles and fills caches; nobody asks for those milliseconds.
  for (const [make, kind] of [
    [pod, "pods"],
    [configMap, "configmaps"],
  ] as const)
    await createMany(target, `/api/v1/namespaces/warm/${kind}`, { make, count: few, connections: 4 });
  const beforePods = await cpu();
  const podsMany = await createMany(target, pods, { make: pod, count: many, connections: 16 });
  const beforeMaps = await cpu();
  const maps = many - 2 * few;
  const mapsMany = await createMany(target, configMaps, { make: configMap, count: maps, connections: 16 });
  const afterMaps = await cpu();
  const listed = await listTimes(target);
  // What the lists have left behind is collected when there is time.
  await delay(1000, undefined, { signal });
  const resident = await memory();
  const podsFew = await createMany(target, pods, { make: pod, count: few, connections: 1, prefix: "one" });
  const mapsFew = await createMany(target, configMaps, { make: configMap, count: few, connections: 1, prefix: "one" });
  const alone = await watchTimes(target, 1, signal);
  const crowd = await watchTimes(target, 100, signal);
  return {
    "create Pods, 16 connections /s": podsMany,
    "create ConfigMaps, 16 connections /s": mapsMany,
    "create Pods, 16 connections, CPU µs each": ((beforeMaps - beforePods) * 1e6) / many,
    "create ConfigMaps, 16 connections, CPU µs each": ((afterMaps - beforeMaps) * 1e6) / maps,
    "create Pods, 1 connection /s": podsFew,
    "create ConfigMaps, 1 connection /s": mapsFew,
    "list of 5,000 Pods, p50 ms": percentile(listed, 50),
    "watch, 1 watcher, p50 ms": percentile(alone, 50),
    "watch, 1 watcher, p99 ms": percentile(alone, 99),
    "watch, 100 watchers, p50 ms": percentile(crowd, 50),
    "watch, 100 watchers, p99 ms": percentile(crowd, 99),
    "memory with 10,000 objects, MiB": resident,
  };
}

async function create(connection: Connection, path: string, object: object): Promise<void> {
  const { status } = await connection.request("POST", path, JSON.stringify(object));
  if (status !== 201) throw new Error(`Creating at ${path} answered ${status}`);
}

interface Creation {
  readonly make: (name: string) => object;
  readonly count: number;
  readonly connections: number;
  readonly prefix?: string;
}

/** Objects a second. */
async function createMany(target: Target, path: string, creation: Creation): Promise<number> {
  const { make, count, prefix = "many" } = creation;
  const connections = await Promise.all(Array.from({ length: creation.connections }, () => Connection.open(target)));
  let next = 0;
  const started = performance.now();
  await Promise.all(
    connections.map(async (connection) => {
      while (next < count) await create(connection, path, make(`${prefix}-${next++}`));
    }),
  );
  const seconds = (performance.now() - started) / 1000;
  for (const connection of connections) connection[Symbol.dispose]();
  return count / seconds;
}

async function listTimes(target: Target): Promise<number[]> {
  using connection = await Connection.open(target);
  const times: number[] = [];
  for (let turn = 0; turn < lists; turn++) {
    const started = performance.now();
    const { status } = await connection.request("GET", pods);
    if (status !== 200) throw new Error(`Listing pods answered ${status}`);
    times.push(performance.now() - started);
  }
  return times;
}

const eventsMeasured = 200;
const betweenEventsMs = 20;

/**
 * From before a ConfigMap is sent to when each watcher has read that it is there. The time of sending is in the object,
 * in microseconds of this process, so that watchers need not parse it.
 */
async function watchTimes(target: Target, watchers: number, signal: AbortSignal): Promise<number[]> {
  const path = `/api/v1/namespaces/bench/configmaps?watch=true&labelSelector=crowd%3Dof-${watchers}`;
  const connections = await Promise.all(Array.from({ length: watchers }, () => Connection.open(target)));
  const times: number[] = [];
  const done = Promise.withResolvers<void>();
  for (const connection of connections) {
    connection.watch(path, (chunk) => {
      const now = performance.now();
      for (const found of chunk.toString("latin1").matchAll(/"sent":"(\d+)"/g))
        times.push(now - Number(found[1]) / 1000);
      if (times.length >= watchers * eventsMeasured) done.resolve();
    });
  }
  await delay(500, undefined, { signal });
  using writer = await Connection.open(target);
  for (let event = 0; event < eventsMeasured; event++) {
    const metadata = { name: `event-${watchers}-${event}`, labels: { crowd: `of-${watchers}` } };
    const sent = String(Math.round(performance.now() * 1000));
    await create(writer, configMaps, { apiVersion: "v1", kind: "ConfigMap", metadata, data: { sent } });
    await delay(betweenEventsMs, undefined, { signal });
  }
  await Promise.race([done.promise, delay(10_000, undefined, { signal, ref: false })]);
  for (const connection of connections) connection[Symbol.dispose]();
  if (times.length < watchers * eventsMeasured)
    throw new Error(`${watchers} watchers saw ${times.length} of ${watchers * eventsMeasured} events`);
  return times;
}

/** Asked for by a scheduler that is not there, so that nobody runs it. */
function pod(name: string): object {
  const resources = { requests: { cpu: "100m", memory: "64Mi" }, limits: { memory: "128Mi" } };
  const env = [
    { name: "MODE", value: "bench" },
    { name: "POD", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
  ];
  const ports = [{ name: "http", containerPort: 8080 }];
  const readinessProbe = { httpGet: { path: "/ready", port: "http" }, periodSeconds: 5 };
  const container = { name: "main", image: "registry.example/bench:1", env, ports, readinessProbe, resources };
  const metadata = { name, labels: { app: "bench", "pod-template-hash": "5d4f8c7b9" }, annotations: { note: "bench" } };
  return { apiVersion: "v1", kind: "Pod", metadata, spec: { schedulerName: "nobody", containers: [container] } };
}

function configMap(name: string): object {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, labels: { app: "bench" } },
    data: { key: "x".repeat(200) },
  };
}

function percentile(values: readonly number[], wanted: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * wanted) / 100))] ?? Number.NaN;
}
