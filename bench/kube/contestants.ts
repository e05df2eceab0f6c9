/** The servers that are measured: the whole of Tidegate, and kube-apiserver with etcd where both are there. */
import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { skipWithout } from "../../test/support/needs.ts";
import { startKubeApiserver } from "../../test/support/kube-apiserver.ts";
import { startTidegate } from "../../test/support/start-tidegate.ts";
import type { Target } from "./connection.ts";

export interface Contestant extends AsyncDisposable {
  readonly target: Target;
  /** Memory of its processes that hold objects, in MiB. */
  memory(): Promise<number>;
  /** CPU that these processes have used so far, in seconds. */
  cpu(): Promise<number>;
}

export type Start = () => Promise<Contestant>;

/** As its kubeconfig says that clients reach it. */
export async function startOurs(): Promise<Contestant> {
  const tidegate = await startTidegate({ jobs: 0 });
  return {
    target: await readTarget(tidegate.env["KUBECONFIG"] ?? ""),
    memory: async () => await residentMiB([await tidegate.controlPid()]),
    cpu: async () => await cpuSeconds([await tidegate.controlPid()]),
    [Symbol.asyncDispose]: () => tidegate[Symbol.asyncDispose](),
  };
}

/** Undefined, where it cannot be had: `node scripts/peers.ts kube-apiserver etcd` builds it. */
export function peer(): Start | undefined {
  if (skipWithout("kube-apiserver") !== false || skipWithout("etcd") !== false) return undefined;
  return async () => {
    const server = await startKubeApiserver();
    return {
      target: await readTarget(server.kubeconfig),
      memory: () => residentMiB([server.serverPid, server.etcdPid]),
      cpu: () => cpuSeconds([server.serverPid, server.etcdPid]),
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  };
}

interface Kubeconfig {
  readonly clusters: readonly { readonly cluster: { readonly server: string } }[];
  readonly users: readonly { readonly user: { readonly token?: string } }[];
}

async function readTarget(path: string): Promise<Target> {
  const { clusters, users } = parse(await readFile(path, "utf8")) as Kubeconfig;
  const url = new URL(clusters[0]?.cluster.server ?? "");
  const token = users[0]?.user.token;
  const basic = Buffer.from(`${url.username}:${url.password}`).toString("base64");
  return { url, authorization: token === undefined ? `Basic ${basic}` : `Bearer ${token}` };
}

/** proc(5): VmRSS. */
async function residentMiB(pids: readonly number[]): Promise<number> {
  let kib = 0;
  for (const pid of pids) kib += Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  return kib / 1024;
}

/** Of Linux: `getconf CLK_TCK`. */
const ticksPerSecond = 100;

/** User and kernel time, proc(5). */
async function cpuSeconds(pids: readonly number[]): Promise<number> {
  let ticks = 0;
  for (const pid of pids) {
    const stat = await readFile(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / ticksPerSecond;
}
