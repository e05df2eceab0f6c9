/** What the workloads room needs of others; the server wires it. */
import type { Channel } from "#lib";

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

interface ContainerImage {
  readonly reference: string;
  readonly digest: string;
}

export interface PodNetwork {
  readonly ip: string;
  /** Container port to the port to connect to. */
  readonly ports: Readonly<Record<string, number>>;
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
  readonly ports: readonly { readonly name?: string; readonly containerPort: number }[];
  readonly network: PodNetwork;
  readonly mounts: readonly { readonly volume: string; readonly mountPath: string; readonly subPath?: string }[];
  readonly labels: Readonly<Record<string, string>>;
}

type ContainerRunState =
  | { readonly kind: "running"; readonly startedAt: Temporal.Instant }
  | {
      readonly kind: "exited";
      readonly exitCode: number;
      readonly startedAt: Temporal.Instant;
      readonly finishedAt: Temporal.Instant;
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
}

export interface VolumeFiles {
  readonly name: string;
  /** Absent for an emptyDir. */
  readonly files?: ReadonlyMap<string, Uint8Array>;
  readonly mode?: number;
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
  /** A container of this pod changed. */
  readonly events: Pick<Channel<{ readonly podUid: string }>, "subscribe">;
  pull(
    reference: string,
    options: { readonly policy: "Always" | "IfNotPresent" | "Never"; readonly signal: AbortSignal },
  ): Promise<ContainerImage & { readonly fetched: boolean }>;
  /** Safe to repeat; ports stay while a container of the pod runs. */
  preparePod(
    sandbox: {
      readonly pod: PodIdentity;
      readonly ports: readonly number[];
      readonly previousPorts?: Readonly<Record<string, number>>;
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
  /** Running and ended, oldest attempt first. */
  list(podUid?: string): readonly ContainerRecord[];
  pods(): readonly PodIdentity[];
  logs(id: string, options: ContainerLogOptions): AsyncIterable<Uint8Array>;
  removeContainer(id: string, signal: AbortSignal): Promise<void>;
  removePod(podUid: string, signal: AbortSignal): Promise<void>;
}
