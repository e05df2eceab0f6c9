import assert from "node:assert/strict";
import { test } from "node:test";
import { type SeriesMetric, seriesQueries } from "./metric-series.ts";

const cases: { name: string; metric: SeriesMetric; want: string[] }[] = [
  { name: "a metric is a series", metric: { name: "queue_length" }, want: ['sum (queue_length{namespace="shop"})'] },
  {
    name: "a rate may be asked for by name",
    metric: { name: "http_requests_per_second" },
    want: [
      'sum (http_requests_per_second{namespace="shop"})',
      'sum (rate(http_requests_total{namespace="shop"}[1m]))',
      'sum (rate(http_requests{namespace="shop"}[1m]))',
    ],
  },
  {
    name: "a selector chooses by labels",
    metric: {
      name: "jobs",
      selector: {
        matchLabels: { "app.kubernetes.io/name": 'we"b' },
        matchExpressions: [
          { key: "queue", operator: "In", values: ["a.b", "c"] },
          { key: "tier", operator: "NotIn", values: ["x"] },
          { key: "up", operator: "Exists" },
          { key: "old", operator: "DoesNotExist" },
        ],
      },
    },
    want: ['sum (jobs{namespace="shop",app_kubernetes_io_name="we\\"b",queue=~"a\\\\.b|c",tier!~"x",up!="",old=""})'],
  },
];

for (const { name, metric, want } of cases) {
  test(name, () => assert.deepEqual(seriesQueries(metric, { namespace: "shop" }, "sum"), want));
}

test("a name that could be more than a name is refused", () => {
  assert.throws(() => seriesQueries({ name: "up) or vector(1" }, {}, undefined), /a series is named by letters/);
});
