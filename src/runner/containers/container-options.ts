/** `options:` of a container, the flags of `docker create`, as the Engine API says them: pure. */
import { parseGoDuration } from "#lib";
import { StepFailure } from "../errors.ts";
import { shellWords } from "./shell-words.ts";

/** A body of `POST /containers/create`, as far as options make one. */
export interface OptionsRequest {
  readonly config: Record<string, unknown>;
  readonly hostConfig: Record<string, unknown>;
  readonly env: readonly string[];
  readonly volumes: readonly string[];
  readonly ports: readonly string[];
  readonly aliases: readonly string[];
}

interface Draft {
  readonly config: Record<string, unknown>;
  readonly hostConfig: Record<string, unknown>;
  readonly health: Record<string, unknown>;
  readonly env: string[];
  readonly volumes: string[];
  readonly ports: string[];
  readonly aliases: string[];
}

type Apply = (draft: Draft, value: string) => void;

const into =
  (part: "config" | "hostConfig", key: string, read: (value: string) => unknown = (value) => value): Apply =>
  (draft, value) =>
    void (draft[part][key] = read(value));
const appendTo =
  (part: "config" | "hostConfig", key: string, read: (value: string) => unknown = (value) => value): Apply =>
  (draft, value) =>
    void (draft[part][key] = [...((draft[part][key] as unknown[] | undefined) ?? []), read(value)]);
const pairInto =
  (part: "config" | "hostConfig", key: string): Apply =>
  (draft, value) => {
    const [name, text = ""] = splitOnce(value, "=");
    draft[part][key] = { ...(draft[part][key] as object | undefined), [name]: text };
  };
const healthInto =
  (key: string, read: (value: string) => unknown): Apply =>
  (draft, value) =>
    void (draft.health[key] = read(value));

/** Flags that take a value, by their long names. */
const valued: Readonly<Record<string, Apply>> = {
  "add-host": appendTo("hostConfig", "ExtraHosts"),
  "cap-add": appendTo("hostConfig", "CapAdd"),
  "cap-drop": appendTo("hostConfig", "CapDrop"),
  "cgroup-parent": into("hostConfig", "CgroupParent"),
  "cpu-period": into("hostConfig", "CpuPeriod", whole),
  "cpu-quota": into("hostConfig", "CpuQuota", whole),
  "cpu-shares": into("hostConfig", "CpuShares", whole),
  cpus: into("hostConfig", "NanoCpus", (value) => Math.round(number(value) * 1e9)),
  "cpuset-cpus": into("hostConfig", "CpusetCpus"),
  device: appendTo("hostConfig", "Devices", device),
  dns: appendTo("hostConfig", "Dns"),
  "dns-option": appendTo("hostConfig", "DnsOptions"),
  "dns-search": appendTo("hostConfig", "DnsSearch"),
  env: (draft, value) => void draft.env.push(value),
  expose: (draft, value) => {
    const port = value.includes("/") ? value : `${value}/tcp`;
    draft.config["ExposedPorts"] = { ...(draft.config["ExposedPorts"] as object | undefined), [port]: {} };
  },
  "group-add": appendTo("hostConfig", "GroupAdd"),
  "health-cmd": healthInto("Test", (value) => ["CMD-SHELL", value]),
  "health-interval": healthInto("Interval", nanoseconds),
  "health-retries": healthInto("Retries", whole),
  "health-start-period": healthInto("StartPeriod", nanoseconds),
  "health-timeout": healthInto("Timeout", nanoseconds),
  hostname: into("config", "Hostname"),
  ipc: into("hostConfig", "IpcMode"),
  label: pairInto("config", "Labels"),
  memory: into("hostConfig", "Memory", bytes),
  "memory-reservation": into("hostConfig", "MemoryReservation", bytes),
  "memory-swap": into("hostConfig", "MemorySwap", bytes),
  "network-alias": (draft, value) => void draft.aliases.push(value),
  "oom-score-adj": into("hostConfig", "OomScoreAdj", whole),
  pid: into("hostConfig", "PidMode"),
  "pids-limit": into("hostConfig", "PidsLimit", whole),
  publish: (draft, value) => void draft.ports.push(value),
  "security-opt": appendTo("hostConfig", "SecurityOpt"),
  "shm-size": into("hostConfig", "ShmSize", bytes),
  "stop-signal": into("config", "StopSignal"),
  "stop-timeout": into("config", "StopTimeout", whole),
  sysctl: pairInto("hostConfig", "Sysctls"),
  tmpfs: (draft, value) => {
    const [path, mode = ""] = splitOnce(value, ":");
    draft.hostConfig["Tmpfs"] = { ...(draft.hostConfig["Tmpfs"] as object | undefined), [path]: mode };
  },
  ulimit: appendTo("hostConfig", "Ulimits", ulimit),
  user: into("config", "User"),
  userns: into("hostConfig", "UsernsMode"),
  uts: into("hostConfig", "UTSMode"),
  volume: (draft, value) => void draft.volumes.push(value),
  workdir: into("config", "WorkingDir"),
};

/** Flags that stand alone. */
const plain: Readonly<Record<string, Apply>> = {
  init: (draft) => void (draft.hostConfig["Init"] = true),
  interactive: (draft) => void (draft.config["OpenStdin"] = true),
  "no-healthcheck": (draft) => void (draft.health["Test"] = ["NONE"]),
  "oom-kill-disable": (draft) => void (draft.hostConfig["OomKillDisable"] = true),
  privileged: (draft) => void (draft.hostConfig["Privileged"] = true),
  "publish-all": (draft) => void (draft.hostConfig["PublishAllPorts"] = true),
  "read-only": (draft) => void (draft.hostConfig["ReadonlyRootfs"] = true),
  rm: () => {},
  tty: (draft) => void (draft.config["Tty"] = true),
};

const shortNames: Readonly<Record<string, string>> = {
  P: "publish-all",
  c: "cpu-shares",
  e: "env",
  h: "hostname",
  i: "interactive",
  l: "label",
  m: "memory",
  p: "publish",
  t: "tty",
  u: "user",
  v: "volume",
  w: "workdir",
};

/** What the runner decides itself; the Actions runner refuses the first, too. */
const refused: Readonly<Record<string, string>> = {
  network: "the job has a network of its own, in which its services are reached by name",
  net: "the job has a network of its own, in which its services are reached by name",
  entrypoint: "write it under entrypoint, beside image",
  name: "containers of jobs that run at the same time must not have one name",
  restart: "a container of a job ends with it",
};

/** Throws `StepFailure` that names the flag. */
export function parseContainerOptions(text: string): OptionsRequest {
  const draft: Draft = { config: {}, hostConfig: {}, health: {}, env: [], volumes: [], ports: [], aliases: [] };
  const words = shellWords(text);
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    const { name, given } = flagOf(word, text);
    const alone = plain[name];
    if (alone !== undefined && given !== "false") {
      alone(draft, "");
      continue;
    }
    const apply = valued[name];
    if (apply === undefined) throw unknown(word, name, text);
    const value = given ?? words[++at];
    if (value === undefined) throw new StepFailure(`Container options "${text}": ${word} needs a value`);
    apply(draft, value);
  }
  const { health, config, ...rest } = draft;
  return { ...rest, config: Object.keys(health).length === 0 ? config : { ...config, Healthcheck: health } };
}

function flagOf(word: string, text: string): { readonly name: string; readonly given?: string } {
  const long = /^--([a-z][a-z-]*)(?:=([\s\S]*))?$/.exec(word);
  if (long?.[1] !== undefined) return { name: long[1], ...(long[2] === undefined ? {} : { given: long[2] }) };
  const short = /^-([a-zA-Z])=?([\s\S]*)$/.exec(word);
  const name = short?.[1] === undefined ? undefined : shortNames[short[1]];
  if (name === undefined) {
    throw new StepFailure(`Container options "${text}": "${word}" is no option of docker create that jobs may use`);
  }
  return { name, ...(short?.[2] === undefined || short[2] === "" ? {} : { given: short[2] }) };
}

function unknown(word: string, name: string, text: string): StepFailure {
  const why = refused[name] ?? "it is no option of docker create that jobs may use";
  return new StepFailure(`Container options "${text}": ${word} is refused: ${why}`);
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new StepFailure(`Container options: "${text}" is no number`);
  return value;
}

function whole(text: string): number {
  const value = number(text);
  if (!Number.isInteger(value)) throw new StepFailure(`Container options: "${text}" is no whole number`);
  return value;
}

const units: Readonly<Record<string, number>> = { "": 1, b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

function bytes(text: string): number {
  const [, amount = "", unit = ""] = /^(-?[\d.]+)([bkmgt]?)b?$/i.exec(text.trim()) ?? [];
  const factor = units[unit.toLowerCase()];
  if (amount === "" || factor === undefined) {
    throw new StepFailure(`Container options: "${text}" is no size, write e.g. 512m or 2g`);
  }
  return Math.round(number(amount) * factor);
}

function nanoseconds(text: string): number {
  const ms = parseGoDuration(text);
  if (ms === undefined) throw new StepFailure(`Container options: "${text}" is no duration, write e.g. 10s or 1m30s`);
  return Math.round(ms * 1e6);
}

function device(text: string): Record<string, string> {
  const [host = "", container = host, permissions = "rwm"] = text.split(":");
  return { PathOnHost: host, PathInContainer: container, CgroupPermissions: permissions };
}

function ulimit(text: string): Record<string, unknown> {
  const [name, limits = ""] = splitOnce(text, "=");
  const [soft = "", hard = soft] = limits.split(":");
  return { Name: name, Soft: whole(soft), Hard: whole(hard) };
}
