/** Idle connections per endpoint, the youngest first: those at the bottom grow old and are closed before the backend does. */
import type { LiveEndpoint } from "../balance/live-table.ts";
import type { Deadlines } from "./deadlines.ts";
import type { ProxySettings } from "./settings.ts";
import { Upstream, type UpstreamUser } from "./upstream.ts";

/**
 * A request that could not be repeated takes a pooled connection only if it was in use this recently: the longer it
 * lay idle, the likelier the backend is closing it right now.
 */
const freshEnoughMs = 1000;

export interface TakeOptions {
  readonly replayable: boolean;
  /** Never a pooled one. */
  readonly fresh: boolean;
  readonly now: number;
}

export class UpstreamPool {
  readonly #idle = new Map<LiveEndpoint, Upstream[]>();
  readonly #all = new Set<Upstream>();
  readonly #settings: ProxySettings;
  readonly #deadlines: Deadlines;
  #idleCount = 0;

  constructor(settings: ProxySettings, deadlines: Deadlines) {
    this.#settings = settings;
    this.#deadlines = deadlines;
  }

  get idle(): number {
    return this.#idleCount;
  }

  get active(): number {
    return this.#all.size - this.#idleCount;
  }

  /** A connection for `user`; one that is `connected` can be written to at once, another announces itself. */
  take(endpoint: LiveEndpoint, user: UpstreamUser, options: TakeOptions): Upstream {
    const pooled = options.fresh ? undefined : this.#takeIdle(endpoint, options);
    if (pooled !== undefined) {
      pooled.user = user;
      pooled.deadline = Number.POSITIVE_INFINITY;
      return pooled;
    }
    const upstream = new Upstream(endpoint, user, {
      deadlines: this.#deadlines,
      connectBy: options.now + this.#settings.connectTimeoutMs,
      onClosed: (closed) => this.#forget(closed),
    });
    this.#all.add(upstream);
    return upstream;
  }

  /** Back after a whole, well-formed exchange. */
  release(upstream: Upstream, now: number): void {
    upstream.user = undefined;
    upstream.served++;
    const idle = this.#idle.get(upstream.endpoint) ?? [];
    if (upstream.endpoint.removed || !upstream.usable || idle.length >= this.#settings.maxIdlePerEndpoint) {
      upstream.destroy();
      return;
    }
    upstream.idleSince = now;
    upstream.deadline = now + this.#settings.idleUpstreamTimeoutMs;
    if (idle.length === 0) this.#idle.set(upstream.endpoint, idle);
    idle.push(upstream);
    this.#idleCount++;
  }

  closeIdle(endpoint: LiveEndpoint): void {
    for (const upstream of this.#idle.get(endpoint)?.slice() ?? []) upstream.destroy();
    this.#idle.delete(endpoint);
  }

  closeAll(): void {
    for (const upstream of this.#all) upstream.destroy();
  }

  #takeIdle(endpoint: LiveEndpoint, { replayable, now }: TakeOptions): Upstream | undefined {
    const idle = this.#idle.get(endpoint);
    const youngest = idle?.at(-1);
    if (idle === undefined || youngest === undefined) return undefined;
    if (!replayable && now - youngest.idleSince > freshEnoughMs) return undefined;
    idle.pop();
    this.#idleCount--;
    return youngest;
  }

  #forget(upstream: Upstream): void {
    this.#all.delete(upstream);
    const idle = this.#idle.get(upstream.endpoint);
    const index = idle?.indexOf(upstream) ?? -1;
    if (idle === undefined || index < 0) return;
    idle.splice(index, 1);
    this.#idleCount--;
    if (idle.length === 0) this.#idle.delete(upstream.endpoint);
  }
}
