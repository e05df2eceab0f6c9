/**
 * The service account tokens in a pod's projected volumes: got before its containers start, got anew long before they
 * end. Kept in memory alone; after a restart of ours new ones are written.
 */
import type { Pod } from "#api";
import { type Clock, fromTimestamp } from "#lib";
import type { AccountTokenPort } from "../ports.ts";
import { accountOf } from "./pod-fields.ts";
import { defaultTokenSeconds } from "./pod-volumes.ts";

interface Kept {
  readonly token: string;
  readonly refreshAtMs: number;
}

/** Upstream renews at 80 % of a token's life, and after a day at the latest. */
const renewAfter = 0.8;
const dayMs = 86_400_000;
const retryMs = 10_000;

export class PodTokens {
  readonly #port: AccountTokenPort;
  readonly #clock: Clock;
  readonly #kept = new Map<string, Kept>();

  constructor(port: AccountTokenPort, clock: Clock) {
    this.#port = port;
    this.#clock = clock;
  }

  get(audience: string, seconds: number): string | undefined {
    return this.#kept.get(keyOf(audience, seconds))?.token;
  }

  /** When the first of them should be got anew. */
  get refreshAtMs(): number | undefined {
    const times = [...this.#kept.values()].map(({ refreshAtMs }) => refreshAtMs);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Gets what is missing or due; true when something changed. One that cannot be renewed now stays. */
  async refresh(pod: Pod): Promise<boolean> {
    let changed = false;
    const nowMs = this.#clock.now().epochMilliseconds;
    for (const { audience = "", expirationSeconds = defaultTokenSeconds } of projections(pod)) {
      const key = keyOf(audience, expirationSeconds);
      const known = this.#kept.get(key);
      if (known !== undefined && known.refreshAtMs > nowMs) continue;
      const fresh = await this.#fetch(pod, audience, expirationSeconds, nowMs);
      if (fresh !== undefined) this.#kept.set(key, fresh);
      else if (known !== undefined) this.#kept.set(key, { ...known, refreshAtMs: nowMs + retryMs });
      changed ||= fresh !== undefined;
    }
    return changed;
  }

  async #fetch(pod: Pod, audience: string, expirationSeconds: number, nowMs: number): Promise<Kept | undefined> {
    const { namespace = "", name, uid = "" } = pod.metadata;
    try {
      const { token, expiresAt } = await this.#port.issue({
        namespace,
        serviceAccount: accountOf(pod),
        ...(audience === "" ? {} : { audiences: [audience] }),
        expirationSeconds,
        boundTo: { kind: "Pod", name, uid },
      });
      const lifeMs = fromTimestamp(expiresAt).epochMilliseconds - nowMs;
      return { token, refreshAtMs: nowMs + Math.min(lifeMs * renewAfter, dayMs) };
    } catch {
      // The account or the pod is not there (any more); the volume's event says that there is no token.
      return undefined;
    }
  }
}

function projections(pod: Pod): { audience?: string; expirationSeconds?: number }[] {
  const sources = (pod.spec.volumes ?? []).flatMap(({ projected }) => projected?.sources ?? []);
  return sources.flatMap(({ serviceAccountToken }) => (serviceAccountToken === undefined ? [] : [serviceAccountToken]));
}

function keyOf(audience: string, seconds: number): string {
  return `${seconds} ${audience}`;
}
