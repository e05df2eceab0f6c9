/**
 * Keeps the control process and the local runner running: whoever dies is started again at once, then ever more rarely
 * while it keeps dying. Routers and pods are the control process' and outlive both.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import {
  AppError,
  backoffDelayMs,
  type Clock,
  type Ids,
  type Log,
  readFileIfExists,
  TaskGroup,
  writeFileAtomic,
} from "#lib";
import { childEnvironment, type Config } from "./config.ts";
import { type Endpoints, type Home, makeHome, readEndpoints } from "./home.ts";

export class SupervisorError extends AppError<"server/control-failed"> {}

export interface Supervisor extends AsyncDisposable {
  readonly endpoints: Endpoints;
  /** Pid of the control process that runs now; another one after it died. */
  controlPid(): number | undefined;
  /** Resolves when the control process ended because it was asked to (`tidegate down`). */
  readonly ended: Promise<void>;
}

export interface SupervisorOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** Where the control process' own log goes; default: this process' standard error. */
  readonly controlLog?: "inherit" | "file";
}

/** 10, 40, 160, 640 ms, then every 2 s: a start takes half a second, so one that dies of it leaves the machine its time. */
const restart = { initialMs: 10, factor: 4, maxMs: 2_000, jitter: 0 };
/**
 * A process that lived this long was well: its next death counts as the first. One that dies of what it finds as it
 * starts does not live so long; one that others kill is back at once.
 */
const wellMs = 2_000;
/** A runner that is told to stop ends its jobs and says so to control, for 3 s at most. */
const runnerStopMs = 5_000;
/** Open connections and running reconciles get this long when the control process is asked to stop. */
const stopGraceMs = 15_000;

/** @throws SupervisorError when the control process cannot start at all */
export async function supervise(options: SupervisorOptions): Promise<Supervisor> {
  const home = await makeHome(options.config.home);
  await mkdir(home.logs, { recursive: true });
  await ensureRunnerToken(home, options.ids);
  await stopFormerRunner(home, options.clock);
  const supervisor = new ProcessSupervisor(options, home);
  await supervisor.start();
  return supervisor;
}

async function ensureRunnerToken(home: Home, ids: Ids): Promise<void> {
  if ((await readFileIfExists(home.runnerToken)) !== undefined) return;
  await writeFileAtomic(home.runnerToken, `tg_${ids.secret()}\n`, 0o600);
}

/** Ctrl-C in a terminal goes to the whole foreground group: the supervisor alone hears it, and says who ends and how. */
const ownGroup = { detached: true } as const;

class ProcessSupervisor implements Supervisor {
  readonly #options: SupervisorOptions;
  readonly #home: Home;
  readonly #tasks: TaskGroup;
  readonly #ready = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  #control: ChildProcess | undefined;
  #endpoints: Endpoints | undefined;
  #stopping = false;

  constructor(options: SupervisorOptions, home: Home) {
    this.#options = options;
    this.#home = home;
    this.#tasks = new TaskGroup((error, name) => options.log.error("Supervision failed", { name, error }));
  }

  get endpoints(): Endpoints {
    if (this.#endpoints === undefined) throw new Error("The control process is not ready");
    return this.#endpoints;
  }

  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  controlPid(): number | undefined {
    return this.#control?.pid;
  }

  async start(): Promise<void> {
    this.#tasks.start("control", (signal) => this.#keepControl(signal));
    await this.#ready.promise;
    if (this.#options.config.jobs > 0) this.#tasks.start("runner", (signal) => this.#keepRunner(signal));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping = true;
    await this.#tasks[Symbol.asyncDispose]();
  }

  async #keepControl(signal: AbortSignal): Promise<void> {
    const main = join(import.meta.dirname, "process", "main.ts");
    await this.#keep(
      signal,
      "control",
      () => this.#spawnControl(main),
      (child, code) => {
        if (code !== 0 || this.#stopping || this.#endpoints === undefined) return false;
        this.#ended.resolve();
        return child === this.#control;
      },
    );
  }

  #spawnControl(main: string): ChildProcess {
    const { config } = this.#options;
    // The port is settled with the first start; every later one must take the same.
    const settled = this.#endpoints;
    const control = settled === undefined ? config.control : { ...config.control, port: settled.controlPort };
    const traffic = settled === undefined ? config.traffic : { ...config.traffic, port: settled.trafficPort };
    const kube = { ...config.kube, port: settled?.kubePort ?? config.kube.port };
    const child = spawn(config.nodePath, ["--disable-warning=ExperimentalWarning", main], {
      ...ownGroup,
      env: childEnvironment({ ...config, control, traffic, kube }),
      stdio: ["pipe", "ignore", this.#options.controlLog === "file" ? "pipe" : "inherit", "ipc"],
    });
    if (child.stderr !== null) keepLog(child.stderr, join(this.#home.logs, "control.log"), this.#options.log);
    child.on("message", (message: { kind: string; message?: string }) => {
      this.#tasks.start("message of the control process", () => this.#onMessage(message));
    });
    this.#control = child;
    return child;
  }

  async #onMessage(message: { readonly kind: string; readonly message?: string }): Promise<void> {
    if (message.kind === "ready") {
      this.#endpoints = await readEndpoints(this.#home);
      this.#ready.resolve();
    } else if (message.kind === "failed" && this.#endpoints === undefined) {
      this.#ready.reject(new SupervisorError("server/control-failed", message.message ?? "The control process failed"));
    }
  }

  async #keepRunner(signal: AbortSignal): Promise<void> {
    const main = join(import.meta.dirname, "..", "runner", "process", "main.ts");
    const file = runnerConfigFile(this.#home);
    await writeFileAtomic(file, JSON.stringify(await this.#runnerConfig()), 0o600);
    await this.#keep(signal, "runner", () => {
      const child = spawn(this.#options.config.nodePath, [main, file], {
        ...ownGroup,
        env: childEnvironment(this.#options.config),
        stdio: ["ignore", "pipe", "pipe"],
      });
      const log = join(this.#home.logs, "runner.log");
      keepLog(child.stdout, log, this.#options.log);
      keepLog(child.stderr, log, this.#options.log);
      this.#tasks.start("runner pid", () => writeFileAtomic(join(this.#home.runner, "pid"), String(child.pid)));
      return child;
    });
  }

  async #runnerConfig(): Promise<Record<string, unknown>> {
    const { config } = this.#options;
    const { host, controlPort } = this.endpoints;
    const environment = childEnvironment(config);
    const ours = /^(?:TIDEGATE_|NODE_COMPILE_CACHE$)/;
    const kept = Object.entries(environment).filter(([name]) => !ours.test(name));
    return {
      controlUrl: `http://${host === "0.0.0.0" ? "127.0.0.1" : host}:${controlPort}`,
      token: (await readFileIfExists(this.#home.runnerToken))?.trim(),
      name: "local",
      labels: ["self-hosted", "linux", "x64", "ubuntu-latest", "ubuntu-24.04", "ubuntu-22.04", "docker"],
      workFolder: join(this.#home.runner, "work"),
      nodePath: config.nodePath,
      concurrency: config.jobs,
      baseEnv: Object.fromEntries(kept),
      engine: config.pods.engine,
      userEngine: config.pods.userEngine,
      hooks: config.jobHooks,
    };
  }

  /** @param finished whether this end is meant to be the last */
  async #keep(
    signal: AbortSignal,
    name: string,
    start: () => ChildProcess,
    finished: (child: ChildProcess, code: number | null) => boolean = () => false,
  ): Promise<void> {
    const { clock, log } = this.#options;
    let deaths = 0;
    while (!signal.aborted) {
      const startedMs = clock.monotonicMs();
      const child = start();
      const code = await untilExit(child, clock, signal);
      if (signal.aborted || finished(child, code)) return;
      if (name === "control" && this.#endpoints === undefined) {
        this.#ready.reject(
          new SupervisorError(
            "server/control-failed",
            `The control process ended with code ${code} before it was ready`,
          ),
        );
        return;
      }
      deaths = clock.monotonicMs() - startedMs > wellMs ? 0 : deaths + 1;
      log.warn("A process died, starting it again", { name, code, deaths });
      await clock.sleep(backoffDelayMs(restart, Math.max(0, deaths - 1), 0), signal).catch(() => {});
    }
  }
}

/** A log that cannot be written (a full disk) is read on and thrown away: its process must neither block nor end. */
export function keepLog(source: Readable, file: string, log: Log): void {
  const target = createWriteStream(file, { flags: "a", mode: 0o600 });
  target.on("error", (error) => {
    log.warn("Cannot write a log file", { file, error });
    source.unpipe(target);
    source.resume();
  });
  source.pipe(target);
}

/** The exit code, null for a death by signal. When the signal aborts, the child is asked to stop, then made to. */
async function untilExit(child: ChildProcess, clock: Clock, signal: AbortSignal): Promise<number | null> {
  const exited = new Promise<number | null>((resolve) => {
    child.once("exit", (code) => resolve(code));
    child.once("error", () => resolve(1));
  });
  const stop = (): void => {
    child.kill("SIGTERM");
    clock.schedule(stopGraceMs, () => child.kill("SIGKILL"));
  };
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
  try {
    return await exited;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** A runner whose supervisor was killed lives on; two must not share a work folder. */
async function stopFormerRunner(home: Home, clock: Clock): Promise<void> {
  const pid = Number(await readFileIfExists(join(home.runner, "pid")));
  const runs = (): Promise<boolean> => isRunnerOf(home, pid);
  if (!(await runs())) return;
  const patience = AbortSignal.timeout(runnerStopMs);
  signalQuietly(pid, "SIGTERM");
  while (!patience.aborted && (await runs())) await clock.sleep(20, patience).catch(() => {});
  if (await runs()) signalQuietly(pid, "SIGKILL");
}

/** The number may be another process' by now: the configuration in its arguments says whose it is. */
async function isRunnerOf(home: Home, pid: number): Promise<boolean> {
  if (!Number.isInteger(pid) || pid <= 1) return false;
  // Where there is no /proc, and for a process that ends as we look, the answer is no.
  const command = await readFileIfExists(`/proc/${pid}/cmdline`).catch(() => undefined);
  return command?.split("\0").includes(runnerConfigFile(home)) === true;
}

function runnerConfigFile(home: Home): string {
  return join(home.runner, "config.json");
}

function signalQuietly(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended by itself between the look and the signal.
  }
}
