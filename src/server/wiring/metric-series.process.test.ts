import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { silentLog } from "#lib";
import { ClockFake } from "#lib/testing";
import { Metrics } from "#metrics";
import { metricSeries } from "./metric-series.ts";

const signal = AbortSignal.timeout(30_000);

test("pods, objects and whatever else are measured by our own series, counters by their rate", async () => {
  const folder = await mkdtemp(join(tmpdir(), "metric-series-"));
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => rm(folder, { recursive: true }));
  const clock = new ClockFake();
  const metrics = cleanup.use(await Metrics.open({ folder, targets: { targets: () => [] }, clock, log: silentLog }));
  const of = (name: string, labels: Record<string, string>): Record<string, string> => ({ __name__: name, ...labels });
  const nowMs = clock.now().epochMilliseconds;
  for (const second of [50, 40, 30, 20, 10, 0]) {
    const grown = (perSecond: number): number => (60 - second) * perSecond;
    metrics.append({
      timeMs: nowMs - second * 1000,
      samples: [
        { labels: of("requests_total", { namespace: "shop", pod: "web-0", path: "/a" }), value: grown(3) },
        { labels: of("requests_total", { namespace: "shop", pod: "web-0", path: "/b" }), value: grown(1) },
        { labels: of("requests_total", { namespace: "shop", pod: "web-1", path: "/a" }), value: grown(2) },
        { labels: of("requests_total", { namespace: "other", pod: "web-9", path: "/a" }), value: grown(9) },
        { labels: of("queue_length", { namespace: "shop", service: "web", queue: "mail" }), value: 7 },
        { labels: of("queue_length", { namespace: "shop", service: "web", queue: "jobs" }), value: 5 },
      ],
    });
  }
  const series = metricSeries(metrics, clock);

  const rates = await series.ofPods({ name: "requests_per_second" }, "shop", signal);
  assert.deepEqual(
    [...rates].map(([pod, value]) => [pod, Math.round(value * 1e6) / 1e6]),
    [
      ["web-0", 4],
      ["web-1", 2],
    ],
  );
  const web = { kind: "Service", name: "web", namespace: "shop" };
  assert.deepEqual(await series.ofObject({ name: "queue_length" }, web, signal), [12]);
  const mail = { name: "queue_length", selector: { matchLabels: { queue: "mail" } } };
  assert.deepEqual(await series.external(mail, signal), [7]);
  assert.deepEqual(await series.external({ name: "nothing" }, signal), []);
});
