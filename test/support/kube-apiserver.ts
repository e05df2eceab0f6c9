/**
 * A real kube-apiserver with its etcd, for tests and benchmarks that compare us with it: fresh, on free ports, without
 * admission of service accounts, and with no controllers but those that are asked for. Disposing ends all of them and
 * removes their folder.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "./free-port.ts";

export interface KubeApiserver extends AsyncDisposable {
  /** `https://127.0.0.1:<port>`, with a certificate that it has made itself. */
  readonly url: string;
  /** Of a member of `system:masters`. */
  readonly token: string;
  /** PEM of the certificate. */
  readonly certificate: string;
  readonly kubeconfig: string;
  readonly serverPid: number;
  readonly etcdPid: number;
}

const token = "peer-admin";

export interface KubeApiserverOptions {
  /** Of kube-controller-manager, by the names of its `--controllers`. */
  readonly controllers?: readonly string[];
}

export async function startKubeApiserver({ controllers = [] }: KubeApiserverOptions = {}): Promise<KubeApiserver> {
  const folder = await mkdtemp(join(tmpdir(), "kube-apiserver-"));
  const children: ChildProcess[] = [];
  const stop = async (): Promise<void> => {
    for (const child of children.toReversed()) await end(child);
    await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  };
  try {
    const [client, peer, port] = [await freePort(), await freePort(), await freePort()];
    const etcd = start("etcd", etcdFlags(folder, client, peer), folder);
    children.push(etcd);
    await writeKeys(folder);
    const server = start("kube-apiserver", serverFlags(folder, client, port), folder);
    children.push(server);
    const url = `https://127.0.0.1:${port}`;
    await ready(`${url}/readyz`, server);
    const certificate = await readFile(join(folder, "apiserver.crt"), "utf8");
    const kubeconfig = join(folder, "kubeconfig");
    await writeFile(kubeconfig, kubeconfigText(url));
    if (controllers.length > 0) {
      const flags = [`--controllers=${controllers.join(",")}`, `--kubeconfig=${kubeconfig}`, "--leader-elect=false"];
      children.push(start("kube-controller-manager", [...flags, "--secure-port=0"], folder));
    }
    const pids = { serverPid: server.pid ?? 0, etcdPid: etcd.pid ?? 0 };
    return { url, token, certificate, kubeconfig, ...pids, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Ours promises that what it acknowledged survives a killed process; without fsync etcd promises the same. */
function etcdFlags(folder: string, client: number, peer: number): string[] {
  const [clients, peers] = [`http://127.0.0.1:${client}`, `http://127.0.0.1:${peer}`];
  return [
    `--data-dir=${join(folder, "etcd")}`,
    `--listen-client-urls=${clients}`,
    `--advertise-client-urls=${clients}`,
    `--listen-peer-urls=${peers}`,
    `--initial-advertise-peer-urls=${peers}`,
    `--initial-cluster=default=${peers}`,
    "--unsafe-no-fsync",
    "--log-level=error",
  ];
}

function serverFlags(folder: string, etcd: number, port: number): string[] {
  return [
    `--etcd-servers=http://127.0.0.1:${etcd}`,
    "--bind-address=127.0.0.1",
    `--secure-port=${port}`,
    `--cert-dir=${folder}`,
    `--token-auth-file=${join(folder, "tokens.csv")}`,
    "--authorization-mode=RBAC",
    "--service-cluster-ip-range=10.96.0.0/16",
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${join(folder, "accounts.key")}`,
    `--service-account-signing-key-file=${join(folder, "accounts.key")}`,
    // Nobody makes the account `default` here, for which it would let every pod wait.
    "--disable-admission-plugins=ServiceAccount",
  ];
}

async function writeKeys(folder: string): Promise<void> {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  await writeFile(join(folder, "accounts.key"), privateKey.export({ type: "pkcs1", format: "pem" }));
  await writeFile(join(folder, "tokens.csv"), `${token},admin,1,"system:masters"\n`);
}

function start(program: string, flags: readonly string[], folder: string): ChildProcess {
  return spawn(program, flags, { cwd: folder, stdio: ["ignore", "ignore", "ignore"] });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}

/** It announces nothing, so it is asked until it says that it is ready. */
async function ready(url: string, server: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (server.exitCode !== null) throw new Error(`kube-apiserver ended with ${server.exitCode} before it was ready`);
    if ((await statusOf(url)) === 200) return;
    await delay(200);
  }
  throw new Error("kube-apiserver was not ready within a minute");
}

async function statusOf(url: string): Promise<number> {
  return await new Promise((resolve) => {
    const headers = { authorization: `Bearer ${token}` };
    const sent = request(url, { rejectUnauthorized: false, headers, timeout: 2000 }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.once("timeout", () => sent.destroy());
    sent.once("error", () => resolve(0));
    sent.end();
  });
}

function kubeconfigText(url: string): string {
  return `apiVersion: v1
kind: Config
current-context: peer
clusters: [{ name: peer, cluster: { server: "${url}", insecure-skip-tls-verify: true } }]
users: [{ name: admin, user: { token: ${token} } }]
contexts: [{ name: peer, context: { cluster: peer, user: admin, namespace: default } }]
`;
}
