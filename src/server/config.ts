/**
 * Everything the processes are told from outside, read once. The only file that touches `process.env`; from here on
 * configuration is plain values.
 */
import { isIP } from "node:net";
import { availableParallelism, homedir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import type { LogLevel } from "#lib";

export interface Config {
  /** Data folder, absolute. */
  readonly home: string;
  readonly control: { readonly host: string; readonly port: number };
  readonly traffic: { readonly host: string; readonly port: number };
  /** The Kubernetes API over TLS. */
  readonly kube: {
    readonly host: string;
    readonly port: number;
    /** Names and addresses its certificate stands for, beside those it knows by itself. */
    readonly names: readonly string[];
  };
  /** Where people and other machines reach the control port, when something is in front of it; no slash at its end. */
  readonly publicUrl: string | undefined;
  /** Router processes that share the traffic port. */
  readonly routers: number;
  /** Jobs the local runner does at once; 0 for no local runner. */
  readonly jobs: number;
  /** How long runs of workflows are kept, and how many of each workflow. */
  readonly runRetention: { readonly days: number; readonly count: number };
  readonly pods: {
    /** Handler of pods that name no RuntimeClass. */
    readonly runtime: (typeof podRuntimes)[number];
    /** DOCKER_HOST: where the container engine is; undefined: where engines usually are. */
    readonly engine: string | undefined;
    /** Socket of an engine that runs as this user. */
    readonly userEngine: string | undefined;
    /** Containers of the engine may be privileged. */
    readonly allowPrivileged: boolean;
    /** Folders of the machine that pods may use by hostPath, with what is below them; undefined: all. */
    readonly hostPaths: readonly string[] | undefined;
  };
  /** Scripts that the local runner runs around each job. */
  readonly jobHooks: { readonly started?: string; readonly completed?: string };
  readonly logFormat: "json" | "text";
  readonly logLevel: LogLevel;
  /** Search path of pods and jobs: the host's, without this package's own tools. */
  readonly hostPath: string;
  /** The Node.js that runs this process, for children that are ours. */
  readonly nodePath: string;
  /** Where Node.js keeps our compiled code: processes of ours start in half the time, and need less memory. */
  readonly codeCache: string;
}

const podRuntimes = ["process", "isolated", "plain", "docker"] as const;

/** What `tidegate up` may be told by flags; each wins over its variable. */
export interface ConfigFlags {
  readonly home?: string;
  readonly host?: string;
  readonly port?: number;
  readonly trafficPort?: number;
  readonly kubePort?: number;
  readonly tlsSan?: readonly string[];
  readonly publicUrl?: string;
  readonly routers?: number;
  readonly jobs?: number;
  readonly runtime?: string;
}

export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** @throws ConfigError naming every variable that is wrong */
export function readConfig(flags: ConfigFlags = {}): Config {
  const env = process.env;
  const problems: string[] = [];
  const number = (name: string, flag: number | undefined, fallback: number, max: number): number => {
    const text = env[name];
    const value = flag ?? (text === undefined || text === "" ? fallback : Number(text));
    if (Number.isInteger(value) && value >= 0 && value <= max) return value;
    problems.push(`${name} must be a whole number from 0 to ${max}: current value is "${flag ?? text}"`);
    return fallback;
  };
  const oneOf = <T extends string>(name: string, values: readonly T[], fallback: T, flag?: string): T => {
    const text = flag ?? env[name];
    if (text === undefined || text === "") return fallback;
    if ((values as readonly string[]).includes(text)) return text as T;
    problems.push(`${name} must be one of ${values.join(", ")}: current value is "${text}"`);
    return fallback;
  };
  const host = flags.host ?? env["TIDEGATE_HOST"] ?? "127.0.0.1";
  const controlPort = number("TIDEGATE_PORT", flags.port, 7070, 65_535);
  // Whoever asks for a free port has another Tidegate on this machine, or may have.
  const kubePort = number("TIDEGATE_KUBE_PORT", flags.kubePort, controlPort === 0 ? 0 : 7443, 65_535);
  const names = flags.tlsSan ?? (env["TIDEGATE_TLS_SAN"] ?? "").split(",").filter((name) => name !== "");
  problems.push(...names.flatMap(nameProblem));
  const config: Config = {
    home: homeFolder(flags.home),
    control: { host, port: controlPort },
    traffic: { host, port: number("TIDEGATE_TRAFFIC_PORT", flags.trafficPort, 8080, 65_535) },
    kube: { host, port: kubePort, names },
    publicUrl: originOf(flags.publicUrl ?? env["TIDEGATE_PUBLIC_URL"] ?? "", problems),
    routers: Math.max(1, number("TIDEGATE_ROUTERS", flags.routers, 1, 64)),
    jobs: number("TIDEGATE_JOBS", flags.jobs, Math.max(2, availableParallelism()), 256),
    runRetention: {
      days: number("TIDEGATE_RUN_DAYS", undefined, 90, 36_500),
      count: Math.max(1, number("TIDEGATE_RUN_COUNT", undefined, 400, 1_000_000)),
    },
    pods: {
      runtime: oneOf("TIDEGATE_RUNTIME", podRuntimes, "process", flags.runtime),
      engine: env["DOCKER_HOST"],
      userEngine: env["XDG_RUNTIME_DIR"] === undefined ? undefined : `${env["XDG_RUNTIME_DIR"]}/podman/podman.sock`,
      allowPrivileged: oneOf("TIDEGATE_ALLOW_PRIVILEGED", ["0", "1"], "0") === "1",
      hostPaths: foldersOf("TIDEGATE_HOST_PATHS", env["TIDEGATE_HOST_PATHS"], problems),
    },
    jobHooks: jobHooks((name) => env[name]),
    logFormat: oneOf("TIDEGATE_LOG_FORMAT", ["json", "text"], process.stderr.isTTY ? "text" : "json"),
    logLevel: oneOf("TIDEGATE_LOG_LEVEL", ["debug", "info", "warn", "error"], "info"),
    hostPath: withoutOwnTools(env["PATH"] ?? ""),
    nodePath: process.execPath,
    codeCache: env["NODE_COMPILE_CACHE"] ?? join(import.meta.dirname, "../../node_modules/.cache/node"),
  };
  if (problems.length > 0) throw new ConfigError(problems.join("\n"));
  return config;
}

/** The data folder: `--home`, TIDEGATE_HOME, or `.tidegate` here. */
export function homeFolder(flag?: string): string {
  return resolve(flag ?? process.env["TIDEGATE_HOME"] ?? ".tidegate");
}

/** The variables that hand `config` to a child process of ours; nothing else is inherited but what Node.js needs. */
export function childEnvironment(config: Config): Record<string, string> {
  const kept = ["DOCKER_HOST", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "USER", "XDG_RUNTIME_DIR"].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...Object.fromEntries(kept),
    PATH: config.hostPath,
    NODE_COMPILE_CACHE: config.codeCache,
    TIDEGATE_HOME: config.home,
    TIDEGATE_HOST: config.control.host,
    TIDEGATE_PORT: String(config.control.port),
    TIDEGATE_TRAFFIC_PORT: String(config.traffic.port),
    TIDEGATE_KUBE_PORT: String(config.kube.port),
    TIDEGATE_TLS_SAN: config.kube.names.join(","),
    TIDEGATE_ROUTERS: String(config.routers),
    ...(config.publicUrl === undefined ? {} : { TIDEGATE_PUBLIC_URL: config.publicUrl }),
    TIDEGATE_JOBS: String(config.jobs),
    TIDEGATE_RUN_DAYS: String(config.runRetention.days),
    TIDEGATE_RUN_COUNT: String(config.runRetention.count),
    TIDEGATE_RUNTIME: config.pods.runtime,
    TIDEGATE_ALLOW_PRIVILEGED: config.pods.allowPrivileged ? "1" : "0",
    ...(config.pods.hostPaths === undefined ? {} : { TIDEGATE_HOST_PATHS: config.pods.hostPaths.join(",") || "none" }),
    TIDEGATE_LOG_FORMAT: config.logFormat,
    TIDEGATE_LOG_LEVEL: config.logLevel,
  };
}

/** What a run from a working tree takes from whoever starts it. */
interface LocalEnvironment {
  /** What steps start from; of ours nothing. */
  readonly env: Readonly<Record<string, string>>;
  /** Where programs of this user keep what can be made again. */
  readonly cacheFolder: string;
  readonly nodePath: string;
  /** Any variable: for secrets that are named without a value. */
  readonly variable: (name: string) => string | undefined;
}

const keptForSteps = [
  "DOCKER_HOST",
  "HOME",
  "LANG",
  "LC_ALL",
  "SHELL",
  "SSH_AUTH_SOCK",
  "TERM",
  "TMPDIR",
  "TZ",
  "USER",
  "XDG_RUNTIME_DIR",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "http_proxy",
  "https_proxy",
  "no_proxy",
];

export function localEnvironment(): LocalEnvironment {
  const { env } = process;
  const kept = keptForSteps.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]] as const]));
  const cache = env["XDG_CACHE_HOME"] ?? "";
  return {
    env: { ...Object.fromEntries(kept), PATH: withoutOwnTools(env["PATH"] ?? "") },
    cacheFolder: join(cache === "" ? join(homedir(), ".cache") : cache, "tidegate"),
    nodePath: process.execPath,
    variable: (name) => env[name],
  };
}

/** By the variables that GitHub's runner knows. */
export function jobHooks(variable: (name: string) => string | undefined): Config["jobHooks"] {
  const started = variable("ACTIONS_RUNNER_HOOK_JOB_STARTED") ?? "";
  const completed = variable("ACTIONS_RUNNER_HOOK_JOB_COMPLETED") ?? "";
  return { ...(started === "" ? {} : { started }), ...(completed === "" ? {} : { completed }) };
}

/** Absolute paths between commas, or `none`; undefined where nothing is said. */
function foldersOf(name: string, text: string | undefined, problems: string[]): readonly string[] | undefined {
  if (text === undefined || text === "") return undefined;
  if (text === "none") return [];
  const folders = text.split(",").map((folder) => folder.trim());
  const wrong = folders.find((folder) => !folder.startsWith("/"));
  if (wrong === undefined) return folders;
  problems.push(`${name} takes absolute paths between commas, or "none": "${wrong}" is no absolute path`);
  return folders;
}

/** Scheme, host and port: what is served here names its paths from the root. */
function originOf(text: string, problems: string[]): string | undefined {
  if (text === "") return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`) return url.origin;
  problems.push(`TIDEGATE_PUBLIC_URL is http:// or https:// with a host, and no path: current value is "${text}"`);
  return undefined;
}

function nameProblem(name: string): string[] {
  if (isIP(name) !== 0 || /^(?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(name)) return [];
  return [`TIDEGATE_TLS_SAN takes host names and addresses: "${name}" is neither`];
}

/** npm puts its own folders first on the path; what users run must find their tools, not ours. */
function withoutOwnTools(path: string): string {
  const own = join("node_modules", ".bin");
  const folders = path.split(delimiter).filter((folder) => !folder.endsWith(own) && !folder.includes("node-gyp-bin"));
  return folders.join(delimiter);
}

/** A server elsewhere, for the command line: TIDEGATE_URL with TIDEGATE_TOKEN. */
export function remoteServer(): { readonly url: string; readonly token: string } | undefined {
  const url = process.env["TIDEGATE_URL"];
  const token = process.env["TIDEGATE_TOKEN"];
  return url === undefined || url === "" || token === undefined ? undefined : { url: url.replace(/\/$/, ""), token };
}

/** Whether output may be coloured: a terminal, and nobody said no (https://no-color.org). */
export function mayColour(stream: { readonly isTTY?: boolean }): boolean {
  return stream.isTTY === true && (process.env["NO_COLOR"] ?? "") === "" && process.env["TERM"] !== "dumb";
}
