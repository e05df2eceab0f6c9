/** What the HTTP face needs of other rooms. */
import type { Pod } from "#api";

export interface PodLogOptions {
  /** Absent: the pod's only container. */
  readonly container?: string;
  /** Go on until the container ends or the signal aborts. */
  readonly follow: boolean;
  readonly tailLines?: number;
  readonly sinceSeconds?: number;
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
