/** Prometheus text exposition 0.0.4 of the router's counters. Pure. */
import { durationBounds, type Series } from "./series.ts";

export interface Gauges {
  readonly clientConnections: number;
  readonly upstreamActive: number;
  readonly upstreamIdle: number;
  readonly tunnels: number;
  readonly tableGeneration: number;
  readonly startedAtSeconds: number;
}

export function expose(all: readonly Series[], gauges: Gauges): string {
  const lines: string[] = [];
  family(lines, "tidegate_router_requests_total", "counter", "Requests answered, by exact status.");
  for (const series of all)
    for (const [code, count] of series.codes)
      lines.push(`tidegate_router_requests_total{${labels(series)},code="${code}"} ${count}`);
  family(
    lines,
    "tidegate_router_request_duration_seconds",
    "histogram",
    "From the whole request head to the last byte of the answer.",
  );
  for (const series of all) exposeDurations(lines, series);
  perSeries(lines, all, "tidegate_router_in_flight", "gauge", "Requests and tunnels under way.", (s) => s.inFlight);
  perSeries(
    lines,
    all,
    "tidegate_router_retries_total",
    "counter",
    "Attempts after the first one of a request.",
    (s) => s.retries,
  );
  perSeries(
    lines,
    all,
    "tidegate_router_ejections_total",
    "counter",
    "Times an endpoint was taken out after failures.",
    (s) => s.ejections,
  );
  gauge(lines, "tidegate_router_client_connections", "Open client connections.", gauges.clientConnections);
  family(lines, "tidegate_router_upstream_connections", "gauge", "Open connections to endpoints.");
  lines.push(`tidegate_router_upstream_connections{state="active"} ${gauges.upstreamActive}`);
  lines.push(`tidegate_router_upstream_connections{state="idle"} ${gauges.upstreamIdle}`);
  gauge(lines, "tidegate_router_tunnels", "Upgraded connections.", gauges.tunnels);
  gauge(lines, "tidegate_router_table_generation", "Generation of the routing table in use.", gauges.tableGeneration);
  gauge(lines, "process_start_time_seconds", "Start time of the process since the epoch.", gauges.startedAtSeconds);
  return `${lines.join("\n")}\n`;
}

function exposeDurations(lines: string[], series: Series): void {
  const name = "tidegate_router_request_duration_seconds";
  const own = labels(series);
  let cumulative = 0;
  durationBounds.forEach((bound, index) => {
    cumulative += series.buckets[index] ?? 0;
    lines.push(`${name}_bucket{${own},le="${bound}"} ${cumulative}`);
  });
  cumulative += series.buckets[durationBounds.length] ?? 0;
  lines.push(`${name}_bucket{${own},le="+Inf"} ${cumulative}`);
  lines.push(`${name}_sum{${own}} ${series.durationSum}`, `${name}_count{${own}} ${cumulative}`);
}

function perSeries(
  lines: string[],
  all: readonly Series[],
  name: string,
  type: string,
  help: string,
  value: (series: Series) => number,
): void {
  family(lines, name, type, help);
  for (const series of all) lines.push(`${name}{${labels(series)}} ${value(series)}`);
}

function gauge(lines: string[], name: string, help: string, value: number): void {
  family(lines, name, "gauge", help);
  lines.push(`${name} ${value}`);
}

function family(lines: string[], name: string, type: string, help: string): void {
  lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
}

function labels({ namespace, service, revision }: Series): string {
  return `namespace="${escape(namespace)}",service="${escape(service)}",revision="${escape(revision)}"`;
}

function escape(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
