import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import Fastify from "fastify";
import { silentLog } from "#lib";
import { ClockFake } from "#lib/testing";
import { Metrics, metricsRoutes, type ScrapeTarget } from "./index.ts";

const folder = await mkdtemp(join(tmpdir(), "metrics-"));
after(() => rm(folder, { recursive: true }));

interface Scene {
  readonly metrics: Metrics;
  readonly clock: ClockFake;
  text: string;
  targets: readonly ScrapeTarget[];
}

async function open(name: string, clock: ClockFake): Promise<Scene> {
  const scene = { text: "", targets: [] as ScrapeTarget[], clock } as unknown as {
    -readonly [K in keyof Scene]: Scene[K];
  };
  scene.targets = [{ key: "t", labels: { job: "router", instance: "r1" }, read: () => Promise.resolve(scene.text) }];
  scene.metrics = await Metrics.open({
    folder: join(folder, name),
    targets: { targets: () => scene.targets },
    clock,
    log: silentLog,
  });
  return scene;
}

test("what was scraped is there again after a restart", async () => {
  const clock = new ClockFake();
  const stop = new AbortController();
  const first = await open("restart", clock);
  const running = first.metrics.run(stop.signal);
  for (let count = 0; count <= 20; count++) {
    first.text = `requests_total ${count * 5}`;
    await clock.advance(1000);
  }
  stop.abort();
  await running;
  await first.metrics[Symbol.asyncDispose]();

  const second = await open("restart", clock);
  const value = second.metrics.query('rate(requests_total{job="router"}[10s])', clock.now());
  assert.equal(value.type === "vector" && Math.round(value.samples[0]?.value ?? 0), 5);
  await second.metrics[Symbol.asyncDispose]();
});

test("after an outage the present is seen once every target was read twice", async () => {
  const clock = new ClockFake();
  const stop = new AbortController();
  const scene = await open("outage", clock);
  const rate = (): number | undefined => {
    const value = scene.metrics.query("rate(requests_total[10s])", clock.now());
    return value.type === "vector" ? value.samples[0]?.value : undefined;
  };
  scene.metrics.append({
    timeMs: clock.now().epochMilliseconds - 60_000,
    samples: [{ labels: { __name__: "requests_total", job: "router", instance: "r1" }, value: 1 }],
  });
  const seen: (number | undefined)[] = [];
  const seeing = scene.metrics.seeing(stop.signal).then(() => seen.push(rate()));
  scene.text = "requests_total 100";
  const running = scene.metrics.run(stop.signal);
  await clock.advance(0);
  assert.deepEqual([seen, rate()], [[], undefined]);
  scene.text = "requests_total 110";
  await clock.advance(1000);
  await seeing;
  assert.equal(seen.length, 1);
  assert.ok((seen[0] ?? 0) > 0);
  stop.abort();
  await running;
  const blind = await open("blind", clock);
  await assert.rejects(blind.metrics.seeing(stop.signal));
  for (const { metrics } of [scene, blind]) await metrics[Symbol.asyncDispose]();
});

test("a series that is not exposed any more ends at once, and a silent target is down", async () => {
  const clock = new ClockFake();
  const stop = new AbortController();
  const scene = await open("ends", clock);
  const running = scene.metrics.run(stop.signal);
  scene.text = "a 1\nb 2";
  await clock.advance(1000);
  scene.text = "a 1";
  await clock.advance(1000);
  const count = (query: string): number => {
    const value = scene.metrics.query(query, clock.now());
    return value.type === "vector" ? value.samples.length : -1;
  };
  assert.deepEqual([count("a"), count("b"), count("up == 1")], [1, 0, 1]);
  scene.targets = [
    { key: "t", labels: { job: "router", instance: "r1" }, read: () => Promise.reject(new Error("gone")) },
  ];
  await clock.advance(1000);
  assert.deepEqual([count("a"), count("up == 0")], [0, 1]);
  scene.targets = [];
  await clock.advance(1000);
  assert.equal(count("up"), 0);
  stop.abort();
  await running;
  await scene.metrics[Symbol.asyncDispose]();
});

test("the HTTP API answers queries in Prometheus' form, errors too, and nobody without a token", async () => {
  const clock = new ClockFake();
  const scene = await open("http", clock);
  scene.metrics.append({
    timeMs: clock.now().epochMilliseconds,
    samples: [{ labels: { __name__: "a", x: "y" }, value: 3 }],
  });
  const app = Fastify();
  const access = {
    authenticate: (header: string | undefined) =>
      Promise.resolve(header === "Bearer good" ? { name: "n", scopes: ["metrics:read"] } : undefined),
  };
  await app.register(metricsRoutes({ metrics: scene.metrics, access, clock }), { prefix: "/prometheus" });
  const get = async (path: string, token = "good"): Promise<{ statusCode: number; body: unknown }> => {
    const response = await app.inject({
      url: `/prometheus/api/v1/${path}`,
      headers: { authorization: `Bearer ${token}` },
    });
    return { statusCode: response.statusCode, body: response.json() };
  };

  const at = clock.now().epochMilliseconds / 1000;
  const vector = { resultType: "vector", result: [{ metric: { __name__: "a", x: "y" }, value: [at, "3"] }] };
  assert.deepEqual((await get("query?query=a")).body, { status: "success", data: vector });
  const range = await get(`query_range?query=a*2&start=${at}&end=${at + 2}&step=1`);
  const values = [
    [at, "6"],
    [at + 1, "6"],
    [at + 2, "6"],
  ];
  assert.deepEqual(range.body, {
    status: "success",
    data: { resultType: "matrix", result: [{ metric: { x: "y" }, values }] },
  });
  assert.deepEqual((await get("label/x/values")).body, { status: "success", data: ["y"] });
  const bad = await get("query?query=sum(");
  assert.equal(bad.statusCode, 400);
  assert.match(JSON.stringify(bad.body), /bad_data.*character/);
  assert.equal((await get("query?query=a", "bad")).statusCode, 401);
  const form = await app.inject({
    method: "POST",
    url: "/prometheus/api/v1/query",
    headers: { authorization: "Bearer good", "content-type": "application/x-www-form-urlencoded" },
    payload: "query=a",
  });
  assert.deepEqual(form.json(), { status: "success", data: vector });
  await app.close();
  await scene.metrics[Symbol.asyncDispose]();
});
