/** What the HTTP face needs of other rooms. */
import type { Duplex, Readable, Writable } from "node:stream";
import type { Pod } from "#api";

export interface PodLogOptions {
  /** Absent: the pod's only container. */
  readonly container?: string;
  /** Go on until the container ends or the signal aborts. */
  readonly follow: boolean;
  readonly tailLines?: number;
  readonly sinceSeconds?: number;
  readonly sinceTime?: Temporal.Instant;
  /** Begin each line with the RFC 3339 time it was written. */
  readonly timestamps: boolean;
  /** The container's run before the current one. */
  readonly previous: boolean;
  readonly signal: AbortSignal;
}

/** Where the output of containers is kept. Throws `KubeError` BadRequest when there is no such log. */
export interface PodLogPort {
  logs(pod: Pod, options: PodLogOptions): Promise<AsyncIterable<Uint8Array>>;
}

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** The streams of a command in a container, or of a container. Disposing ends the command, or lets go of the container. */
export interface PodSession extends AsyncDisposable {
  readonly stdin: Writable | undefined;
  readonly stdout: Readable;
  readonly stderr: Readable | undefined;
  resize(size: TerminalSize): Promise<void>;
  /** Resolves at the end; 128 + n when signal n came. */
  readonly exitCode: Promise<number>;
}

export interface SessionRequest {
  readonly container: string;
  readonly stdin: boolean;
  readonly tty: boolean;
  /** Aborts the start. */
  readonly signal: AbortSignal;
}

/** Ways into a pod that runs. */
export interface PodStreamPort {
  /** Throws `KubeError`, in kubelet's words, while nothing can be opened in the container. */
  requireRunning(pod: Pod, container: string): void;
  exec(pod: Pod, request: SessionRequest & { readonly command: readonly string[] }): Promise<PodSession>;
  /** What the container writes from now on, and its input. */
  attach(pod: Pod, request: SessionRequest): Promise<PodSession>;
  /** A connection to a container port; each half is closed by itself. */
  connect(pod: Pod, port: number, signal: AbortSignal): Promise<Duplex>;
}

/** How much was used, as the average of a span that ended at `at`. */
export interface MeasuredUsage {
  readonly at: Temporal.Instant;
  readonly windowMs: number;
}

interface ResourceUsage {
  readonly name: string;
  readonly cpuNanoCores: number;
  readonly memoryBytes: number;
}

interface PodResourceUsage extends MeasuredUsage {
  readonly uid: string;
  readonly containers: readonly ResourceUsage[];
}

/** What nodes and pods use, for `metrics.k8s.io`. Nothing for what was not measured yet. */
export interface UsagePort {
  nodes(): readonly (ResourceUsage & MeasuredUsage)[];
  pods(): readonly PodResourceUsage[];
}
