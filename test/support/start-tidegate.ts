/**
 * The real thing for tests: `tidegate up` as a process of its own on a fresh data folder and free ports, with what a
 * test needs to talk to it. Disposing stops everything, pods and routers too, and removes the folder.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../../scripts/steps.ts";

export interface Tidegate extends AsyncDisposable {
  readonly home: string;
  /** A folder for the test's own files, removed with the rest. */
  readonly scratch: string;
  /** `http://127.0.0.1:<port>` of console, git, registry and APIs. */
  readonly url: string;
  readonly controlPort: number;
  readonly trafficPort: number;
  readonly adminToken: string;
  /** What clients of this server need in their environment: PATH, TIDEGATE_HOME, KUBECONFIG, a HOME of their own. */
  readonly env: Readonly<Record<string, string>>;
  /** Pid of `tidegate up` itself, the supervisor. */
  readonly supervisorPid: number;
  /** Pid of the control process that runs now. */
  controlPid(): Promise<number>;
  /** Runs the command line; fails the test when its exit code is not `code`. */
  cli(args: readonly string[], code?: number): Promise<{ readonly stdout: string; readonly stderr: string }>;
  /** Calls the product API as admin. */
  api<T>(path: string, options?: { readonly method?: string; readonly body?: unknown }): Promise<T>;
}

export interface StartOptions {
  /** Workflow jobs at once; default 2. */
  readonly jobs?: number;
  /** The scratch folder of one whose supervisor was killed: it is taken up again. */
  readonly scratch?: string;
  /** How pods run; default: the server's own choice. */
  readonly runtime?: "process" | "isolated" | "plain" | "docker";
  /** More of the server's environment. */
  readonly env?: Readonly<Record<string, string>>;
}

interface Announced {
  readonly control: string;
  readonly traffic: string;
}

export async function startTidegate(options: StartOptions = {}): Promise<Tidegate> {
  const scratch = options.scratch ?? (await mkdtemp(join(tmpdir(), "tidegate-test-")));
  const home = join(scratch, "home");
  const env = { ...testEnvironment(home, scratch), ...options.env };
  const args = ["up", "--json", "--port", "0", "--traffic-port", "0", "--jobs", String(options.jobs ?? 2)];
  if (options.runtime !== undefined) args.push("--runtime", options.runtime);
  const child = spawn(process.execPath, [main, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  const log = collect(child);
  const announced = await announcement(child, log);
  const adminToken = (await readFile(join(home, "admin-token"), "utf8")).trim();
  const cli = (words: readonly string[], code = 0): Promise<{ stdout: string; stderr: string }> =>
    runCli(env, words, code);
  return {
    home,
    scratch,
    url: announced.control,
    controlPort: Number(new URL(announced.control).port),
    trafficPort: Number(new URL(announced.traffic).port),
    adminToken,
    env,
    cli,
    supervisorPid: child.pid ?? 0,
    controlPid: async () => (JSON.parse(await readFile(join(home, "endpoints.json"), "utf8")) as { pid: number }).pid,
    async api<T>(path: string, request: { readonly method?: string; readonly body?: unknown } = {}): Promise<T> {
      const response = await fetch(`${announced.control}/api/tidegate/v1${path}`, {
        method: request.method ?? "GET",
        headers: {
          authorization: `Bearer ${adminToken}`,
          ...(request.body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      });
      if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
      return (await response.json()) as T;
    },
    async [Symbol.asyncDispose]() {
      // One that was killed has left what `down` ends; when another took it up and ended it, there is nothing.
      if (child.signalCode !== null) await cli(["down"]).catch(() => {});
      else if (child.exitCode === null) {
        await cli(["down"]).catch(() => child.kill("SIGTERM"));
        if (child.exitCode === null) await once(child, "exit");
      }
      await rm(scratch, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
}

const main = join(root, "src", "cli", "main.ts");

/** Program and arguments of a command of ours that a test wants to follow rather than await. */
export function cliCommand(args: readonly string[]): [string, readonly string[]] {
  return [process.execPath, [main, ...args]];
}

function testEnvironment(home: string, scratch: string): Record<string, string> {
  const own = join(root, "node_modules", ".bin");
  const path = (process.env["PATH"] ?? "")
    .split(":")
    .filter((folder) => folder !== own && !folder.includes("node-gyp-bin"));
  return {
    PATH: path.join(":"),
    HOME: scratch,
    TIDEGATE_HOME: home,
    TIDEGATE_LOG_FORMAT: "json",
    KUBECONFIG: join(home, "kubeconfig"),
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: "Ada",
    GIT_AUTHOR_EMAIL: "ada@example.com",
    GIT_COMMITTER_NAME: "Ada",
    GIT_COMMITTER_EMAIL: "ada@example.com",
    NODE_COMPILE_CACHE: join(root, "node_modules", ".cache", "node"),
  };
}

function collect(child: ChildProcess): { text: string } {
  const log = { text: "" };
  child.stderr?.on("data", (chunk: Buffer) => {
    log.text = (log.text + chunk.toString("utf8")).slice(-20_000);
  });
  return log;
}

async function announcement(child: ChildProcess, log: { readonly text: string }): Promise<Announced> {
  let text = "";
  for await (const chunk of child.stdout ?? []) {
    text += String(chunk);
    if (text.trimEnd().endsWith("}")) return JSON.parse(text) as Announced;
  }
  throw new Error(`tidegate up ended before it was ready:\n${log.text}`);
}

async function runCli(
  env: Record<string, string>,
  args: readonly string[],
  code: number,
): Promise<{ stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [main, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString("utf8")));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString("utf8")));
  await once(child, "close");
  if (child.exitCode !== code) {
    throw new Error(`tidegate ${args.join(" ")} ended with ${child.exitCode}, not ${code}:\n${stdout}\n${stderr}`);
  }
  return { stdout, stderr };
}
