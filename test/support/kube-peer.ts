/** The real kube-apiserver over an etcd of its own, on loopback: what the embedded API server is measured against. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { type KubeApi, type KubeCall, KubeReply } from "./kube-api.ts";

const token = "peer-token";
/** What these add depends on the rest of a cluster (service accounts, controllers that protect storage). */
const withoutAdmission =
  "ServiceAccount,StorageObjectInUseProtection,DefaultTolerationSeconds,TaintNodesByCondition,Priority";

/** The reason to skip, or false. Both programs are built from their Go modules and never come with the machine. */
export function skipWithoutPeer(): string | false {
  const missing = ["kube-apiserver", "etcd"].filter((tool) => spawnSync(tool, ["--version"]).error !== undefined);
  return missing.length === 0 ? false : `${missing.join(" and ")} not on the PATH`;
}

export interface KubePeer extends KubeApi, AsyncDisposable {}

/** @param authorization `RBAC` to have roles decide for everybody but the admin who calls */
export async function startKubePeer(authorization: "AlwaysAllow" | "RBAC" = "AlwaysAllow"): Promise<KubePeer> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "tidegate-peer-"));
  stack.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const [client, peer, secure] = [await freePort(), await freePort(), await freePort()];
  const etcd = `http://127.0.0.1:${client}`;
  start(stack, "etcd", [
    "--data-dir",
    join(folder, "etcd"),
    "--unsafe-no-fsync",
    "--log-level",
    "error",
    "--listen-client-urls",
    etcd,
    "--advertise-client-urls",
    etcd,
    "--listen-peer-urls",
    `http://127.0.0.1:${peer}`,
    "--initial-advertise-peer-urls",
    `http://127.0.0.1:${peer}`,
    "--initial-cluster",
    `default=http://127.0.0.1:${peer}`,
  ]);
  const key = join(folder, "accounts.pem");
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  await writeFile(key, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  await writeFile(join(folder, "tokens.csv"), `${token},admin,admin,"system:masters"\n`, { mode: 0o600 });
  await mkdir(join(folder, "certificates"));
  start(stack, "kube-apiserver", [
    "--etcd-servers",
    etcd,
    "--bind-address",
    "127.0.0.1",
    "--advertise-address",
    "127.0.0.1",
    "--secure-port",
    String(secure),
    "--cert-dir",
    join(folder, "certificates"),
    "--token-auth-file",
    join(folder, "tokens.csv"),
    "--authorization-mode",
    authorization,
    "--service-account-issuer",
    "https://kubernetes.default.svc",
    "--service-account-key-file",
    key,
    "--service-account-signing-key-file",
    key,
    "--service-cluster-ip-range",
    "10.96.0.0/16",
    "--disable-admission-plugins",
    withoutAdmission,
  ]);
  const agent = new Agent({ keepAlive: true, rejectUnauthorized: false });
  stack.defer(() => agent.destroy());
  const url = `https://127.0.0.1:${secure}`;
  await untilReady(url, agent);
  const owned = stack.move();
  return {
    call: (call) => send(url, agent, call),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function start(stack: AsyncDisposableStack, tool: string, args: readonly string[]): void {
  const child: ChildProcess = spawn(tool, args, { stdio: "ignore" });
  stack.defer(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  });
}

async function untilReady(url: string, agent: Agent): Promise<void> {
  const deadline = AbortSignal.timeout(90_000);
  for (;;) {
    const code = await send(url, agent, { path: "/readyz" }).then(
      (reply) => reply.code,
      () => undefined,
    );
    if (code === 200) return;
    deadline.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function send(url: string, agent: Agent, call: KubeCall): Promise<KubeReply> {
  const { method = "GET", path, body, headers = {} } = call;
  const outgoing = request(`${url}${path}`, {
    method,
    agent,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
  });
  outgoing.end(body);
  const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return new KubeReply(incoming.statusCode ?? 0, incoming.headers, Buffer.concat(chunks));
}
