/** The data plane's limits and patience. */
import { defaultHeadLimits, type HeadLimits } from "../http/head-scanner.ts";

export interface ProxySettings {
  readonly head: HeadLimits;
  /** A request head must be complete this long after its first byte. */
  readonly headTimeoutMs: number;
  /** Between requests of a client. */
  readonly idleClientTimeoutMs: number;
  readonly connectTimeoutMs: number;
  /** From the whole request to the response head. */
  readonly responseTimeoutMs: number;
  /** Without a byte of a body in either direction. */
  readonly stallTimeoutMs: number;
  /** Shorter than the 5 s after which Node's own server closes idle connections, so that we close first. */
  readonly idleUpstreamTimeoutMs: number;
  readonly maxIdlePerEndpoint: number;
  /** Attempts for one request, the first included. */
  readonly maxAttempts: number;
  readonly maxConnections: number;
  /** Keep X-Forwarded-* of clients: only behind another proxy that sets them. */
  readonly trustForwarded: boolean;
}

export const defaultProxySettings: ProxySettings = {
  head: defaultHeadLimits,
  headTimeoutMs: 15_000,
  idleClientTimeoutMs: 75_000,
  connectTimeoutMs: 2000,
  responseTimeoutMs: 60_000,
  stallTimeoutMs: 120_000,
  idleUpstreamTimeoutMs: 4000,
  maxIdlePerEndpoint: 256,
  maxAttempts: 3,
  maxConnections: 20_000,
  trustForwarded: false,
};
