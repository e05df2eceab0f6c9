/** What the control process says of itself at `/metrics`, under the names that every Prometheus client library uses. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { FastifyInstance } from "fastify";
import type { Clock } from "#lib";
import type { MetricRegistry } from "#metrics";

const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

/**
 * Counts answers by face (the first part of the path), never by whole path: a label must not have endless values.
 *
 * @param whole the face of all that `app` answers, where it has but one
 */
export function countRequests(app: FastifyInstance, metrics: MetricRegistry, whole?: "kube"): void {
  const requests = metrics.counter("tidegate_http_requests_total", "Answered requests of the control process.");
  const seconds = metrics.histogram("tidegate_http_request_duration_seconds", "Time to the end of an answer.", buckets);
  app.addHook("onResponse", async (request, reply) => {
    const face = whole ?? faceOf(request.routeOptions.url ?? "");
    requests.add({ face, method: request.method, code: String(reply.statusCode) });
    seconds.observe(reply.elapsedTime / 1000, { face });
    await Promise.resolve();
  });
}

const faces = ["kube", "v2", "token", "prometheus", "metrics", "healthz", "login"] as const;

function faceOf(route: string): string {
  if (route.startsWith("/api/tidegate/v1/runner")) return "runner";
  if (route.startsWith("/api/")) return "api";
  const first = route.split("/")[1] ?? "";
  if ((faces as readonly string[]).includes(first)) return first;
  return first === ":owner" ? "git" : "console";
}

const sampleMs = 5000;

/** Keeps the process' gauges fresh until the signal aborts. */
export async function sampleProcess(metrics: MetricRegistry, clock: Clock, signal: AbortSignal): Promise<void> {
  const memory = metrics.gauge("process_resident_memory_bytes", "Resident memory.");
  const heap = metrics.gauge("nodejs_heap_size_used_bytes", "Used part of the heap.");
  const cpu = metrics.gauge("process_cpu_seconds_total", "User and system time since the start.");
  const lag = metrics.gauge("nodejs_eventloop_lag_p99_seconds", "99th percentile of the event loop's delay.");
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  while (!signal.aborted) {
    const { rss, heapUsed } = process.memoryUsage();
    const { user, system } = process.cpuUsage();
    memory.set(rss);
    heap.set(heapUsed);
    cpu.set((user + system) / 1e6);
    lag.set(delay.percentile(99) / 1e9);
    delay.reset();
    await clock.sleep(sampleMs, signal).catch(() => {});
  }
  delay.disable();
}
