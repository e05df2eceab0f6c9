/** What the engine is asked to make for a container and for a pod's sandbox: pure. */
import { RuntimeError } from "../errors.ts";
import type { MountSource } from "../mount-sources.ts";
import type { ContainerSecurity, ContainerSpec, PodSandbox } from "../pod-runtime.ts";
import { groupsOf } from "../security.ts";
import { containerLabels, sandboxLabels } from "./labels.ts";
import { pauseReference } from "#engine";

export interface ContainerRequestInput {
  readonly installation: string;
  readonly spec: ContainerSpec;
  /** What the engine knows the image by. */
  readonly image: string;
  /** The engine's id of the pod's sandbox. */
  readonly sandbox: string;
  readonly mounts: readonly MountSource[];
  /** The file behind `/dev/termination-log`. */
  readonly messageFile: string;
  readonly allowPrivileged: boolean;
}

/** A log grows to 10 MiB and keeps one older part, as kubelet's. */
const logConfig = { Type: "json-file", Config: { "max-size": "10m", "max-file": "2" } };
export const defaultMessagePath = "/dev/termination-log";

export function containerRequest(input: ContainerRequestInput): Record<string, unknown> {
  const { spec } = input;
  const binds = input.mounts.map(({ source, target, readOnly }) => ({
    Type: "bind",
    Source: source,
    Target: target,
    ReadOnly: readOnly,
  }));
  const message = { Type: "bind", Source: input.messageFile, Target: defaultMessagePath };
  const listens = spec.ports[0] === undefined ? {} : { PORT: String(spec.ports[0].containerPort) };
  const env = { HOSTNAME: spec.pod.name, ...listens, ...spec.links, ...spec.env };
  return {
    Image: input.image,
    // An empty list takes the image's; Kubernetes' `command` also drops the image's CMD, as the engine does.
    ...(spec.command === undefined || spec.command.length === 0 ? {} : { Entrypoint: spec.command }),
    ...commandOf(spec),
    ...(spec.workingDir === undefined ? {} : { WorkingDir: spec.workingDir }),
    ...userOf(spec.security),
    Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
    Labels: containerLabels(input.installation, spec),
    ...(spec.stdin === undefined ? {} : { OpenStdin: true, StdinOnce: spec.stdin === "once" }),
    Tty: spec.tty === true,
    HostConfig: {
      NetworkMode: `container:${input.sandbox}`,
      IpcMode: `container:${input.sandbox}`,
      Mounts: [...binds, message],
      LogConfig: logConfig,
      RestartPolicy: { Name: "no" },
      ...limitsOf(spec),
      ...rightsOf(spec, input.allowPrivileged),
    },
  };
}

function commandOf(spec: ContainerSpec): Record<string, unknown> {
  const { command = [], args = [] } = spec;
  if (args.length > 0) return { Cmd: args };
  return command.length > 0 ? { Cmd: [] } : {};
}

function userOf(security: ContainerSecurity | undefined): Record<string, unknown> {
  const { runAsUser, runAsGroup } = security ?? {};
  if (runAsUser === undefined && runAsGroup === undefined) return {};
  return { User: runAsGroup === undefined ? String(runAsUser) : `${runAsUser ?? 0}:${runAsGroup}` };
}

function limitsOf({ limits }: ContainerSpec): Record<string, unknown> {
  const { cpuMillis, memoryBytes } = limits ?? {};
  return {
    ...(cpuMillis === undefined ? {} : { NanoCpus: cpuMillis * 1_000_000 }),
    // The same for memory and swap together: no swap, as in Kubernetes.
    ...(memoryBytes === undefined ? {} : { Memory: memoryBytes, MemorySwap: memoryBytes }),
  };
}

function rightsOf({ name, security }: ContainerSpec, allowPrivileged: boolean): Record<string, unknown> {
  if (security === undefined) return {};
  if (security.privileged && !allowPrivileged) {
    const message = `Cannot start container "${name}" privileged: this node does not allow it (TIDEGATE_ALLOW_PRIVILEGED=1 does)`;
    throw new RuntimeError("runtime/refused", message);
  }
  const options = [
    ...(security.allowPrivilegeEscalation === false ? ["no-new-privileges"] : []),
    ...(security.seccomp === "Unconfined" ? ["seccomp=unconfined"] : []),
  ];
  return {
    Privileged: security.privileged,
    ReadonlyRootfs: security.readOnlyRootFilesystem,
    GroupAdd: groupsOf(security).map(String),
    CapAdd: security.addCapabilities,
    CapDrop: security.dropCapabilities,
    SecurityOpt: options,
  };
}

export interface SandboxRequestInput {
  readonly installation: string;
  readonly sandbox: PodSandbox;
  /** The engine's network for pods. */
  readonly network: string;
  /** Publish the pod's ports on this machine: its own address cannot be reached from here. */
  readonly publish: boolean;
}

export function sandboxRequest(input: SandboxRequestInput): Record<string, unknown> {
  const { pod, ports, hostNetwork = false, hostAliases = [] } = input.sandbox;
  const keys = ports.map((port) => `${port}/tcp`);
  const publish = input.publish && !hostNetwork;
  const bindings = Object.fromEntries(keys.map((key) => [key, [{ HostIp: "127.0.0.1", HostPort: "" }]]));
  return {
    Image: pauseReference,
    Entrypoint: ["/pause"],
    Labels: sandboxLabels(input.installation, pod),
    // A host name is at most 63 bytes; a pod's name may be longer.
    ...(hostNetwork ? {} : { Hostname: pod.name.slice(0, 63).replace(/[-.]+$/, "") }),
    ...(publish ? { ExposedPorts: Object.fromEntries(keys.map((key) => [key, {}])) } : {}),
    HostConfig: {
      NetworkMode: hostNetwork ? "host" : input.network,
      IpcMode: "shareable",
      ExtraHosts: hostAliases.flatMap(({ ip, names }) => names.map((name) => `${name}:${ip}`)),
      LogConfig: { Type: "none", Config: {} },
      ReadonlyRootfs: true,
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges"],
      RestartPolicy: { Name: "no" },
      ...(publish ? { PortBindings: bindings } : {}),
    },
  };
}
