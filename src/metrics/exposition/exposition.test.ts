import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseExposition } from "./parse.ts";
import { MetricRegistry } from "./registry.ts";

const cases = [
  { name: "a bare sample", line: "up 1", want: { labels: { __name__: "up" }, value: 1 } },
  {
    name: "labels with escapes",
    line: String.raw`a{b="x\"y\\z\n",c=""} 2.5e3`,
    want: { labels: { __name__: "a", b: 'x"y\\z\n', c: "" }, value: 2500 },
  },
  { name: "a trailing comma", line: 'a{b="c",} 1', want: { labels: { __name__: "a", b: "c" }, value: 1 } },
  { name: "infinity", line: "a +Inf", want: { labels: { __name__: "a" }, value: Number.POSITIVE_INFINITY } },
  {
    name: "a timestamp",
    line: "a 1 1700000000000",
    want: { labels: { __name__: "a" }, value: 1, timestampMs: 1_700_000_000_000 },
  },
  {
    name: "an OpenMetrics exemplar",
    line: 'a_total 3 # {trace="x"} 1',
    want: { labels: { __name__: "a_total" }, value: 3 },
  },
];
for (const { name, line, want } of cases) {
  test(`the parser reads ${name}`, () => {
    const { samples, problems } = parseExposition(`# HELP a text\n# TYPE a counter\n${line}\n`);
    assert.deepEqual(problems, []);
    assert.deepEqual(samples, [want]);
  });
}

for (const line of ["{} 1", "a", "a b", "a{b=c} 1", 'a{b="c" 1', "1a 1", "a 1 2 3"]) {
  test(`the parser refuses "${line}" and goes on`, () => {
    const { samples, problems } = parseExposition(`${line}\ngood 1`);
    assert.equal(problems[0]?.at?.line, 1);
    assert.deepEqual(samples, [{ labels: { __name__: "good" }, value: 1 }]);
  });
}

test("what the registry exposes is read back the same", () => {
  const label = fc.string({ maxLength: 20 }).filter((text) => !text.includes("\r"));
  fc.assert(
    fc.property(fc.array(fc.tuple(label, fc.double({ noNaN: true })), { maxLength: 5 }), (entries) => {
      const registry = new MetricRegistry();
      const gauge = registry.gauge("g", "help");
      for (const [value, number] of entries) gauge.set(number, { label: value });
      const read = new Map(
        parseExposition(registry.expose()).samples.map(({ labels, value }) => [labels["label"], value]),
      );
      assert.equal(read.size, new Map(entries).size);
      for (const [value, number] of new Map(entries)) assert.equal(read.get(value), number === 0 ? 0 : number);
    }),
  );
});

test("a histogram exposes cumulated buckets, sum and count", () => {
  const registry = new MetricRegistry();
  const histogram = registry.histogram("h", "help", [0.1, 1]);
  for (const value of [0.05, 0.5, 0.5, 7]) histogram.observe(value, { a: "b" });
  assert.match(
    registry.expose(),
    /h_bucket\{a="b",le="0.1"\} 1\nh_bucket\{a="b",le="1"\} 3\nh_bucket\{a="b",le="\+Inf"\} 4\nh_sum\{a="b"\} 8.05\nh_count\{a="b"\} 4/,
  );
});
