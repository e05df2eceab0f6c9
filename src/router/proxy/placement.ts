/**
 * Where a request runs: the backend its host and path lead to, the endpoint of the present attempt, and what is counted
 * for them. At any time at most one endpoint counts the request as in flight.
 */
import { afterFailure, afterSuccess } from "../balance/health.ts";
import type { LiveBackend, LiveEndpoint } from "../balance/live-table.ts";
import type { Series } from "../metrics/series.ts";
import type { ProxyContext } from "./context.ts";
import type { UpstreamFailure } from "./retry.ts";

const none: readonly LiveEndpoint[] = [];

export class Placement {
  readonly #context: ProxyContext;
  #key: string | undefined;
  #backend: LiveBackend | undefined;
  #endpoint: LiveEndpoint | undefined;
  #series: Series | undefined;
  #tried: LiveEndpoint[] | undefined;
  attempts = 0;

  constructor(context: ProxyContext) {
    this.#context = context;
  }

  /** False when no host or path leads anywhere. */
  route(authority: string, path: string): boolean {
    const { live } = this.#context.balancer;
    this.#key = live.match(authority, path);
    this.#backend = this.#key === undefined ? undefined : live.backend(this.#key);
    return this.#backend !== undefined;
  }

  /** The endpoint for the first attempt. */
  first(): LiveEndpoint | undefined {
    return this.#enter(this.#backend?.pick());
  }

  /**
   * The endpoint for another attempt: the same one on a fresh connection, or one not tried yet. The table may have been
   * swapped in between; what is chosen now is chosen by the one in force now.
   */
  again(where: "elsewhere" | "fresh"): LiveEndpoint | undefined {
    const failed = this.#endpoint;
    if (this.#series !== undefined) this.#series.retries++;
    this.leave();
    if (failed !== undefined && where === "elsewhere") (this.#tried ??= []).push(failed);
    if (failed !== undefined && where === "fresh" && !failed.removed) return this.#enter(failed);
    this.#backend = this.#context.balancer.live.backend(this.#key ?? "");
    return this.#enter(this.#backend?.pickAgain(this.#tried ?? none));
  }

  succeeded(): void {
    const endpoint = this.#endpoint;
    if (endpoint !== undefined) endpoint.health = afterSuccess(endpoint.health);
  }

  failed(failure: UpstreamFailure): void {
    const endpoint = this.#endpoint;
    // A reused connection that closes says nothing about the endpoint's health.
    if (endpoint === undefined || (failure.kind === "no-response" && failure.reused)) return;
    const how = failure.kind === "connect" && !failure.timedOut ? "refused" : "broken";
    const before = endpoint.health.state;
    endpoint.health = afterFailure(endpoint.health, how, this.#context.now());
    if (before === "out" || endpoint.health.state === "in") return;
    if (this.#series !== undefined) this.#series.ejections++;
    const { address, revision } = endpoint;
    this.#context.log.warn("Endpoint taken out after failures", { address, revision, failure: failure.kind });
  }

  leave(): void {
    const endpoint = this.#endpoint;
    if (endpoint === undefined) return;
    this.#endpoint = undefined;
    if (this.#series !== undefined) this.#series.inFlight--;
    this.#context.balancer.leave(endpoint);
  }

  count(status: number, seconds: number): void {
    this.#seriesOf("").count(status, seconds);
  }

  #enter(endpoint: LiveEndpoint | undefined): LiveEndpoint | undefined {
    if (endpoint === undefined) return undefined;
    this.attempts++;
    this.#endpoint = endpoint;
    this.#series = undefined;
    this.#series = this.#seriesOf(endpoint.revision);
    this.#series.inFlight++;
    this.#context.balancer.enter(endpoint);
    return endpoint;
  }

  #seriesOf(revision: string): Series {
    if (this.#series !== undefined) return this.#series;
    return this.#context.series.of(this.#backend?.namespace ?? "", this.#backend?.service ?? "", revision);
  }
}
