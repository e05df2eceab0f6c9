/**
 * A real Gitea for stories about mirrors: fresh, on a free port, with SQLite and an administrator. `stop` kills it, as a
 * crash would, and `start` brings it back where it was. Disposing ends it; its folder is the caller's.
 *
 * One that was built without its templates in it (no `bindata` tag) finds them by GITEA_STATIC_ROOT.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "./free-port.ts";
import { run } from "./run-command.ts";

export interface Gitea extends AsyncDisposable {
  readonly url: string;
  /** A token of the administrator `root`, for everything. */
  readonly token: string;
  /** Makes a user; a token of theirs with these scopes. */
  user(name: string, scopes: readonly string[]): Promise<string>;
  /** Calls `/api/v1`; fails the test unless it succeeds. An answer without a body is undefined. */
  api<T>(path: string, options?: GiteaCall): Promise<T>;
  /** The address to clone from and push to, with the token in it. */
  cloneUrl(repository: string, token?: string): string;
  stop(): Promise<void>;
  start(): Promise<void>;
}

export interface GiteaCall {
  readonly method?: string;
  readonly body?: unknown;
  readonly token?: string;
}

/** It is not brought to CI: it takes ten minutes to build, and what it sends is what the stand-ins of other tests send. */
export function withoutGitea(): string | false {
  const found = spawnSync("gitea", ["--version"], { stdio: "ignore" });
  return found.error === undefined ? false : "gitea is not on this machine";
}

export async function startGitea(folder: string, env: Readonly<Record<string, string>>): Promise<Gitea> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const config = join(folder, "app.ini");
  await mkdir(folder, { recursive: true });
  await writeFile(config, settings(folder, url, port), { mode: 0o600 });
  const own = { ...env, GITEA_WORK_DIR: folder, HOME: folder };
  /** Its last line: what stands above is for people. */
  const admin = async (...args: string[]): Promise<string> =>
    (await run("gitea", ["--config", config, ...args], { env: own, cwd: folder })).stdout.trim().split("\n").at(-1) ??
    "";
  await admin("migrate");
  const person = ["--username", "root", "--password", randomBytes(12).toString("hex"), "--email", "root@example.com"];
  await admin("admin", "user", "create", "--admin", "--must-change-password=false", ...person);
  const token = await admin("admin", "user", "generate-access-token", "--username", "root", "--scopes", "all", "--raw");
  let server: ChildProcess | undefined;
  const stop = async (): Promise<void> => {
    const child = server;
    server = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, "exit");
    child.kill("SIGKILL");
    await exit;
  };
  const start = async (): Promise<void> => {
    server = spawn("gitea", ["--config", config, "web"], { env: own, cwd: folder, stdio: "ignore" });
    await ready(`${url}/api/healthz`, server);
  };
  const api = async <T>(path: string, call: GiteaCall = {}): Promise<T> => await ask<T>(url, token, path, call);
  await start();
  return {
    url,
    token,
    api,
    start,
    stop,
    cloneUrl: (repository, by = token) => `http://token:${by}@127.0.0.1:${port}/${repository}.git`,
    async user(name, scopes) {
      const password = randomBytes(12).toString("hex");
      const who = { username: name, email: `${name}@example.com`, password, must_change_password: false };
      await api("/admin/users", { method: "POST", body: who });
      const making = ["--username", name, "--token-name", "story", "--scopes", scopes.join(","), "--raw"];
      return await admin("admin", "user", "generate-access-token", ...making);
    },
    [Symbol.asyncDispose]: stop,
  };
}

async function ask<T>(url: string, token: string, path: string, call: GiteaCall): Promise<T> {
  const response = await fetch(`${url}/api/v1${path}`, {
    method: call.method ?? "GET",
    headers: { authorization: `token ${call.token ?? token}`, "content-type": "application/json" },
    ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`Gitea answered ${response.status} to ${call.method ?? "GET"} ${path}: ${text}`);
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

function settings(folder: string, url: string, port: number): string {
  const { username, uid } = userInfo();
  const secret = (): string => randomBytes(32).toString("hex");
  const staticRoot = process.env["GITEA_STATIC_ROOT"];
  return `
APP_NAME = story
RUN_USER = ${username}
RUN_MODE = prod
${uid === 0 ? "I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true" : ""}
[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = ${port}
ROOT_URL = ${url}/
APP_DATA_PATH = ${join(folder, "data")}
DISABLE_SSH = true
OFFLINE_MODE = true
${staticRoot === undefined ? "" : `STATIC_ROOT_PATH = ${staticRoot}`}
[database]
DB_TYPE = sqlite3
PATH = ${join(folder, "gitea.db")}
[repository]
ROOT = ${join(folder, "repositories")}
[security]
INSTALL_LOCK = true
SECRET_KEY = ${secret()}
INTERNAL_TOKEN = ${secret()}
PASSWORD_HASH_ALGO = pbkdf2_v1
[oauth2]
ENABLED = false
[webhook]
ALLOWED_HOST_LIST = loopback
[cron]
ENABLED = false
[actions]
ENABLED = false
[log]
MODE = file
LEVEL = info
ROOT_PATH = ${join(folder, "log")}
`;
}

async function ready(url: string, server: ChildProcess): Promise<void> {
  const deadline = AbortSignal.timeout(120_000);
  for (;;) {
    const ended = server.exitCode ?? server.signalCode;
    if (ended !== null) throw new Error(`gitea ended with ${ended} before it was ready`);
    const answer = await fetch(url, { signal: deadline }).catch(() => undefined);
    if (answer?.ok === true) return;
    deadline.throwIfAborted();
    await delay(100);
  }
}
