/** What the workloads room needs of others; the server wires it. */
import type { Service } from "#api";
import type { Duplex, Readable, Writable } from "node:stream";
import type { Channel } from "#lib";
import type { RegistryLogin } from "./node/pull-secrets.ts";
import type { ServiceAddress } from "./node/service-env.ts";

export interface PodIdentity {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
}

/** Takes a pod out of traffic before it is stopped. Wired to the router. */
export interface EndpointGatePort {
  /**
   * Resolves when no router process sends new requests to the pod any more. The pod already carries its
   * deletionTimestamp, so its endpoints are on their way out by themselves; this is only the waiting.
   */
  awaitUnrouted(pod: PodIdentity, signal: AbortSignal): Promise<void>;
}

/** Where pods of this node reach things. */
export interface PodReachPort {
  /** The API server, as clients inside a cluster look for it (HTTPS); undefined where it has no such address. */
  apiServer(): ServiceAddress | undefined;
  /** A port of a service; undefined where nothing reaches it. */
  service(service: Service, port: number): ServiceAddress | undefined;
}

/** Signs tokens by which pods speak for their service accounts. */
export interface AccountTokenPort {
  /** PEM of the authority that pods check the API server by; "" where there is none. */
  readonly authority: string;
  issue(request: {
    readonly namespace: string;
    readonly serviceAccount: string;
    readonly audiences?: readonly string[];
    readonly expirationSeconds: number;
    readonly boundTo: { readonly kind: "Pod"; readonly name: string; readonly uid: string };
  }): Promise<{ readonly token: string; readonly expiresAt: string }>;
}

interface ContainerImage {
  readonly reference: string;
  readonly digest: string;
}

export interface PodNetwork {
  readonly ip: string;
  /** May change until the first container starts: nobody should be told yet. */
  readonly provisional?: boolean;
  /** Container port to the port to connect to. */
  readonly ports: Readonly<Record<string, number>>;
}

/** The streams of a command beside a container, or of the container itself. Disposing kills the command. */
interface ContainerSession extends AsyncDisposable {
  readonly stdin: Writable | undefined;
  readonly stdout: Readable;
  readonly stderr: Readable | undefined;
  resize(size: { readonly columns: number; readonly rows: number }): Promise<void>;
  readonly exitCode: Promise<number>;
}

interface SessionOptions {
  readonly stdin: boolean;
  readonly tty: boolean;
  readonly signal: AbortSignal;
}

export interface ContainerToStart {
  readonly pod: PodIdentity;
  readonly name: string;
  readonly attempt: number;
  readonly image: ContainerImage & { readonly fetched: boolean };
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly workingDir?: string;
  readonly env: Readonly<Record<string, string>>;
  /** Variables that tell of services: under `env`, and of other pods' ports, so never mapped to this pod's. */
  readonly links: Readonly<Record<string, string>>;
  readonly ports: readonly { readonly name?: string; readonly containerPort: number }[];
  readonly network: PodNetwork;
  readonly mounts: readonly {
    readonly volume: string;
    readonly mountPath: string;
    readonly subPath?: string;
    readonly readOnly?: boolean;
  }[];
  /** Its input is open for whoever attaches, `once` for the first only. */
  readonly stdin?: "kept" | "once";
  readonly tty?: boolean;
  /** The most it may use: thousandths of a processor, and bytes. */
  readonly limits?: { readonly cpuMillis?: number; readonly memoryBytes?: number };
  /** Who it is and what it may do; honoured or refused. */
  readonly security?: {
    readonly privileged: boolean;
    readonly runAsUser?: number;
    readonly runAsGroup?: number;
    readonly runAsNonRoot: boolean;
    readonly groups: readonly number[];
    readonly fsGroup?: number;
    readonly readOnlyRootFilesystem: boolean;
    readonly allowPrivilegeEscalation?: boolean;
    readonly addCapabilities: readonly string[];
    readonly dropCapabilities: readonly string[];
    readonly seccomp: "RuntimeDefault" | "Unconfined" | undefined;
  };
  readonly labels: Readonly<Record<string, string>>;
}

type ContainerRunState =
  | { readonly kind: "running"; readonly startedAt: Temporal.Instant }
  | {
      readonly kind: "exited";
      readonly exitCode: number;
      readonly startedAt: Temporal.Instant;
      readonly finishedAt: Temporal.Instant;
      readonly oomKilled?: boolean;
      /** False when nobody saw the end and the code is a stand-in. */
      readonly witnessed: boolean;
    };

export interface ContainerRecord {
  readonly id: string;
  readonly pod: PodIdentity;
  readonly name: string;
  readonly attempt: number;
  readonly image: ContainerImage;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: ContainerRunState;
  /** Which runtime has it, where there are several. */
  readonly runtime?: string;
}

export interface VolumeFiles {
  readonly name: string;
  /** Absent for an emptyDir. */
  readonly files?: ReadonlyMap<string, Uint8Array>;
  readonly mode?: number;
  /** Of single files, by path; they count more than `mode`. */
  readonly modes?: ReadonlyMap<string, number>;
  /** A folder or file of the machine, instead of one of the pod's own. */
  readonly hostPath?: string;
  /** What upstream's `hostPath.type` says must be there, or be made. */
  readonly hostPathType?: string;
}

export interface ContainerUsage {
  readonly id: string;
  readonly pod: PodIdentity;
  readonly name: string;
  readonly at: Temporal.Instant;
  readonly startedAt: Temporal.Instant;
  /** Processor time since it started. */
  readonly cpuMs: number;
  readonly memoryBytes: number;
}

interface ContainerLogOptions {
  readonly follow: boolean;
  readonly tailLines?: number;
  readonly since?: Temporal.Instant;
  readonly timestamps: boolean;
  readonly signal: AbortSignal;
}

/**
 * How a pod runs. Container ids are a function of pod uid, container name and attempt, and starting the same attempt
 * twice gives the container that is there: so a crash between a start and its status costs nothing.
 */
export interface PodRuntimePort {
  /** Scheme of `containerID`. */
  readonly name: string;
  /** Handlers that a RuntimeClass may name here. */
  readonly handlers: readonly string[];
  /** What of isolation pods have here, in one sentence. */
  readonly isolation: string;
  /** A container of this pod changed. */
  readonly events: Pick<Channel<{ readonly podUid: string }>, "subscribe">;
  pull(
    reference: string,
    options: {
      readonly policy: "Always" | "IfNotPresent" | "Never";
      readonly logins: readonly RegistryLogin[];
      readonly podUid: string;
      readonly signal: AbortSignal;
    },
  ): Promise<ContainerImage & { readonly fetched: boolean }>;
  /** Safe to repeat; ports stay while a container of the pod runs. */
  preparePod(
    sandbox: {
      readonly pod: PodIdentity;
      readonly ports: readonly number[];
      readonly previousPorts?: Readonly<Record<string, number>>;
      /** Of the pod's RuntimeClass. */
      readonly handler?: string;
      readonly hostNetwork?: boolean;
      readonly hostAliases?: readonly { readonly ip: string; readonly names: readonly string[] }[];
      /** The one that is about to start; until there is one, the network is provisional. */
      readonly image?: ContainerImage & { readonly fetched: boolean };
    },
    signal: AbortSignal,
  ): Promise<PodNetwork>;
  writeVolume(podUid: string, volume: VolumeFiles, signal: AbortSignal): Promise<void>;
  startContainer(container: ContainerToStart, signal: AbortSignal): Promise<ContainerRecord>;
  stopContainer(id: string, options: { readonly graceMs: number; readonly signal: AbortSignal }): Promise<void>;
  exec(
    id: string,
    command: readonly string[],
    options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<{ readonly exitCode: number; readonly output: string }>;
  openExec(id: string, command: readonly string[], options: SessionOptions): Promise<ContainerSession>;
  attach(id: string, options: SessionOptions): Promise<ContainerSession>;
  connect(podUid: string, port: number, signal: AbortSignal): Promise<Duplex>;
  /** Running and ended, oldest attempt first. */
  list(podUid?: string): readonly ContainerRecord[];
  pods(): readonly PodIdentity[];
  logs(id: string, options: ContainerLogOptions): AsyncIterable<Uint8Array>;
  /** What an ended container left at `path` of its file system to say why; "" when nothing. */
  terminationMessage(id: string, path: string): Promise<string>;
  /** Of every running container. */
  usage(signal: AbortSignal): Promise<readonly ContainerUsage[]>;
  removeContainer(id: string, signal: AbortSignal): Promise<void>;
  removePod(podUid: string, signal: AbortSignal): Promise<void>;
}
