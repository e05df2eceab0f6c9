/** Brings ejected endpoints back: when one's time is up a connection is tried, so that no user's request has to. */
import { connect } from "node:net";
import { afterTest } from "../balance/health.ts";
import type { LiveEndpoint } from "../balance/live-table.ts";
import type { ProxyContext } from "./context.ts";

const testTimeoutMs = 1000;

export class HealthTests {
  readonly #context: ProxyContext;
  readonly #running = new Set<LiveEndpoint>();

  constructor(context: ProxyContext) {
    this.#context = context;
  }

  sweep(now: number): void {
    for (const endpoint of this.#context.balancer.live.endpoints) {
      const { health } = endpoint;
      if (health.state === "out" && health.until <= now && !this.#running.has(endpoint)) this.#test(endpoint);
    }
  }

  #test(endpoint: LiveEndpoint): void {
    this.#running.add(endpoint);
    const socket = connect({ host: endpoint.ip, port: endpoint.port, timeout: testTimeoutMs });
    const end = (passed: boolean): void => {
      if (!this.#running.delete(endpoint)) return;
      socket.destroy();
      endpoint.health = afterTest(endpoint.health, passed, this.#context.now());
      if (passed) this.#context.log.info("Endpoint accepts connections again", { address: endpoint.address });
    };
    socket.once("connect", () => end(true));
    socket.once("timeout", () => end(false));
    socket.on("error", () => end(false));
  }
}
