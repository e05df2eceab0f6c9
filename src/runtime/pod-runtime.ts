/**
 * How a pod runs: the port between the node agent, which decides, and what runs containers. An implementation keeps
 * its own durable record, so that containers outlive the control process and are found again by the same ids.
 *
 * A container id is made of pod uid, container name and attempt, and nothing else: starting the same attempt twice
 * (after a crash between start and status write) gives the container that already runs, never a second one.
 */
import type { Duplex, Readable, Writable } from "node:stream";
import type { Channel } from "#lib";

export interface PodIdentity {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
}

/** Files of a volume by relative path. An `emptyDir` has no `files`; its content is the containers' own. */
export interface VolumeContent {
  readonly name: string;
  readonly files?: ReadonlyMap<string, Uint8Array>;
  /** File mode of `files`. */
  readonly mode?: number;
  /** Modes of single files, by relative path; they count more than `mode`. */
  readonly modes?: ReadonlyMap<string, number>;
  /** The volume is this folder or file of the machine, not one of the pod's own: a hostPath, a persistent volume. */
  readonly hostPath?: string;
}

export interface PodSandbox {
  readonly pod: PodIdentity;
  /** Container ports that must be reachable. */
  readonly ports: readonly number[];
  /** Where they were reachable before (the pod's port-map annotation); kept while nobody else took the port. */
  readonly previousPorts?: Readonly<Record<string, number>>;
  /** Handler of the pod's RuntimeClass; absent: the node's own choice. */
  readonly handler?: string;
  /** The pod wants the machine's own network. */
  readonly hostNetwork?: boolean;
  /** Lines of `/etc/hosts` that the pod asks for. */
  readonly hostAliases?: readonly { readonly ip: string; readonly names: readonly string[] }[];
  /**
   * The image that is about to start. Whether a pod gets a network of its own may depend on what its first image
   * holds, so before that its network is provisional.
   */
  readonly image?: PulledImage;
}

/** Where the pod is reachable: `ports` maps container port to the port to connect to at `ip`. */
export interface PodNetwork {
  readonly ip: string;
  /** May change until the first container starts: nobody should be told yet. */
  readonly provisional?: boolean;
  readonly ports: Readonly<Record<string, number>>;
}

export interface PulledImage {
  readonly reference: string;
  readonly digest: string;
  /** False when an image that was already there served. */
  readonly fetched: boolean;
}

export interface ContainerMount {
  readonly volume: string;
  readonly mountPath: string;
  readonly subPath?: string;
  /** Kept where the runtime has a file system of its own for the container; links cannot refuse a write. */
  readonly readOnly?: boolean;
}

/** A login for image registries, as an image pull secret gives it. */
export interface RegistryLogin {
  /** Registry host, perhaps with a path and `*` in labels of the host: `registry.example.com`, `*.example.com/team`. */
  readonly registry: string;
  readonly username: string;
  readonly password: string;
}

/** What a running container has used so far. */
export interface ContainerUsage {
  readonly id: string;
  readonly pod: PodIdentity;
  readonly name: string;
  readonly at: Temporal.Instant;
  readonly startedAt: Temporal.Instant;
  /** Processor time since it started; never falls while the container runs, but for processes that left it. */
  readonly cpuMs: number;
  /** What it holds now. */
  readonly memoryBytes: number;
}

/** The most a container may use. What is absent is not limited. */
export interface ContainerLimits {
  /** Thousandths of a processor. */
  readonly cpuMillis?: number;
  readonly memoryBytes?: number;
}

/**
 * Who a container is and what it may do: `securityContext` of pod and container in one. A runtime honours each field or
 * refuses to start; it never starts a container with less than was asked.
 */
export interface ContainerSecurity {
  readonly privileged: boolean;
  readonly runAsUser?: number;
  readonly runAsGroup?: number;
  readonly runAsNonRoot: boolean;
  /** Groups beside the first. */
  readonly groups: readonly number[];
  /** Group of the pod's volumes, and one more of the container's. */
  readonly fsGroup?: number;
  readonly readOnlyRootFilesystem: boolean;
  /** False: no program of the container gains rights by being set-uid or by file capabilities. */
  readonly allowPrivilegeEscalation?: boolean;
  /** Without `CAP_`, upper case; `ALL` is all. */
  readonly addCapabilities: readonly string[];
  readonly dropCapabilities: readonly string[];
  readonly seccomp: "RuntimeDefault" | "Unconfined" | undefined;
}

export interface ContainerSpec {
  readonly pod: PodIdentity;
  readonly name: string;
  /** 0 for the first start, then one more for each restart. */
  readonly attempt: number;
  readonly image: PulledImage;
  /** Replaces the image's ENTRYPOINT (and drops its CMD). */
  readonly command?: readonly string[];
  /** Replaces the image's CMD. */
  readonly args?: readonly string[];
  readonly workingDir?: string;
  /** Complete and expanded; goes over the image's ENV. May hold secrets: never written to disk, log or argv. */
  readonly env: Readonly<Record<string, string>>;
  /** Variables that tell of services: under `env` and over the image's; never mapped to the pod's own ports. */
  readonly links?: Readonly<Record<string, string>>;
  /** This container's own ports, the first being what it listens on above all. */
  readonly ports: readonly { readonly name?: string; readonly containerPort: number }[];
  readonly network: PodNetwork;
  readonly mounts: readonly ContainerMount[];
  readonly limits?: ContainerLimits;
  /** Absent: the spec says nothing, the runtime's own rules hold. */
  readonly security?: ContainerSecurity;
  /** Who reads its input finds it open, for whoever attaches; absent: nothing to read. `once`: it ends with the first who attached. */
  readonly stdin?: "kept" | "once";
  /** Its streams are a terminal. */
  readonly tty?: boolean;
  /** Facts the caller wants back from `list` after a restart, e.g. how often it crashed in a row. */
  readonly labels: Readonly<Record<string, string>>;
}

export type ContainerRunState =
  | { readonly kind: "running"; readonly startedAt: Temporal.Instant }
  | {
      readonly kind: "exited";
      /** 128 + n when signal n ended it. */
      readonly exitCode: number;
      readonly startedAt: Temporal.Instant;
      readonly finishedAt: Temporal.Instant;
      /** The kernel ended it for want of memory. */
      readonly oomKilled?: boolean;
      /** False when the end was not seen and the code is a stand-in (137), e.g. after the machine went down. */
      readonly witnessed: boolean;
    };

export interface ContainerRecord {
  readonly id: string;
  readonly pod: PodIdentity;
  readonly name: string;
  readonly attempt: number;
  readonly image: { readonly reference: string; readonly digest: string };
  readonly labels: Readonly<Record<string, string>>;
  readonly state: ContainerRunState;
  /** Which runtime has it, where there are several: the scheme of `containerID`. */
  readonly runtime?: string;
}

/** Something changed about this pod's containers: read `list` again. */
export interface ContainerEvent {
  readonly podUid: string;
  readonly containerId: string;
}

export interface LogOptions {
  /** Go on until the container has ended. */
  readonly follow: boolean;
  readonly tailLines?: number;
  /** Only what was written at or after this time. */
  readonly since?: Temporal.Instant;
  /** Each line starts with its time. */
  readonly timestamps: boolean;
  readonly limitBytes?: number;
  readonly signal: AbortSignal;
}

export interface ExecResult {
  readonly exitCode: number;
  /** Both streams, cut to a few KiB. */
  readonly output: string;
}

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

export interface SessionOptions {
  readonly stdin: boolean;
  /** For a command: its streams are a terminal. For a container: what it was started with counts. */
  readonly tty: boolean;
  /** Aborts the start only. */
  readonly signal: AbortSignal;
}

/**
 * The streams of a command beside a container, or of the container itself. The session is the owner's: disposing one
 * of a command kills what still runs of it, disposing one of a container lets go.
 */
export interface ContainerSession extends AsyncDisposable {
  /** Undefined when it was not asked for, or when a container has none. */
  readonly stdin: Writable | undefined;
  readonly stdout: Readable;
  /** Undefined where a terminal or the container's log has joined both. */
  readonly stderr: Readable | undefined;
  /** Does nothing where there is no terminal. */
  resize(size: TerminalSize): Promise<void>;
  /** Resolves when the command or container has ended; 128 + n when signal n ended it. Its output is read to the end after that. */
  readonly exitCode: Promise<number>;
}

export interface PodRuntime extends AsyncDisposable {
  /** Scheme of `containerID` in pod statuses. */
  readonly name: string;
  /** Handlers that a RuntimeClass may name here. */
  readonly handlers: readonly string[];
  /** What of isolation pods have here, in one sentence. */
  readonly isolation: string;
  readonly events: Channel<ContainerEvent>;

  /** Makes the image ready to start from. `Never` throws when it is not there. */
  pull(
    reference: string,
    options: {
      readonly policy: "Always" | "IfNotPresent" | "Never";
      /** Tried in order where their registry is the image's; without one that fits, the pull is anonymous. */
      readonly logins?: readonly RegistryLogin[];
      /** For which pod, where pods have different runtimes. */
      readonly podUid?: string;
      readonly signal: AbortSignal;
    },
  ): Promise<PulledImage>;

  /** Gives the pod its place and ports; safe to repeat. Ports stay the same while a container of the pod runs. */
  preparePod(sandbox: PodSandbox, signal: AbortSignal): Promise<PodNetwork>;

  /** Puts the volume's present content in place; running containers see it. */
  writeVolume(podUid: string, volume: VolumeContent, signal: AbortSignal): Promise<void>;

  /** Resolves when the container's process exists and its record is durable. */
  startContainer(spec: ContainerSpec, signal: AbortSignal): Promise<ContainerRecord>;

  /** Sends the stop signal, after `graceMs` kills. Resolves when the container has ended; nothing of it runs then. */
  stopContainer(id: string, options: { readonly graceMs: number; readonly signal: AbortSignal }): Promise<void>;

  exec(
    id: string,
    command: readonly string[],
    options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<ExecResult>;

  /** Starts a command beside the container, in its environment, for somebody who talks with it. */
  openExec(id: string, command: readonly string[], options: SessionOptions): Promise<ContainerSession>;

  /** What the container writes from now on, and its input. */
  attach(id: string, options: SessionOptions): Promise<ContainerSession>;

  /** A connection to a container port of the pod. Throws in words for the person who asked. */
  connect(podUid: string, port: number, signal: AbortSignal): Promise<Duplex>;

  /** Everything known, running and ended, oldest attempt first. */
  list(podUid?: string): readonly ContainerRecord[];

  /** Pods that have a place here, also those without a container. */
  pods(): readonly PodIdentity[];

  logs(id: string, options: LogOptions): AsyncIterable<Uint8Array>;

  /** What an ended container left at `path` of its file system to say why; at most 4 KiB of it, "" when nothing. */
  terminationMessage(id: string, path: string): Promise<string>;

  /** Of every running container. */
  usage(signal: AbortSignal): Promise<readonly ContainerUsage[]>;

  /** Forgets an ended container and its logs. */
  removeContainer(id: string, signal: AbortSignal): Promise<void>;

  /** Kills what still runs and forgets the pod, its volumes and logs. */
  removePod(podUid: string, signal: AbortSignal): Promise<void>;
}

/** The id of one attempt of one container. Uids and container names hold no `_`, so ids are unique. */
export function containerIdOf(podUid: string, name: string, attempt: number): string {
  return `${podUid}_${name}_${attempt}`;
}
