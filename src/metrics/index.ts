/** Metrics: exposition, scraping, a series store, PromQL and its HTTP API. */
export { Metrics, type MetricsOptions } from "./metrics.ts";
export { metricsRoutes, type MetricsRoutesOptions } from "./routes.ts";
export { MetricRegistry, type Counter, type Gauge, type Histogram } from "./exposition/registry.ts";
export { parseExposition, type ExposedSample } from "./exposition/parse.ts";
export { PromqlError } from "./promql/errors.ts";
export type { Value, VectorSample } from "./promql/values.ts";
export type { ScrapeTarget, ScrapeTargetsPort } from "./ports.ts";
