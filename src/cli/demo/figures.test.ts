import assert from "node:assert/strict";
import { test } from "node:test";
import type { RecordedEvent, TimelineKind, TimelineTone } from "#api";
import { trafficChart } from "./chart.ts";
import { type ObservedRelease, releaseFigures } from "./figures.ts";
import type { RequestReport } from "./traffic-log.ts";

function at(ms: number, version: string, status = 200): RequestReport {
  return { sentMs: ms, doneMs: ms + 5, status, version };
}

function event(
  kind: TimelineKind,
  ms: number,
  data: RecordedEvent["data"] = {},
  tone: TimelineTone = "neutral",
): RecordedEvent {
  const time = Temporal.Instant.fromEpochMilliseconds(ms).toString({ smallestUnit: "millisecond" });
  return { sequence: ms, id: `${kind}-${ms}`, kind, at: time, subject: "", title: "", tone, causes: [], data };
}

function release(change: Partial<ObservedRelease>): ObservedRelease {
  return {
    version: "v2",
    shopVersion: "2",
    pushedMs: 1000,
    endedMs: 9000,
    promoted: true,
    requests: [],
    events: [],
    ...change,
  };
}

test("the first share is that of the requests while the first step held, and nothing after it", () => {
  const during = Array.from({ length: 100 }, (_v, index) => at(2200 + index * 10, index % 10 === 0 ? "2" : "1"));
  const later = Array.from({ length: 50 }, (_v, index) => at(4000 + index * 10, "2"));
  const events = [event("rollout-step", 2000, { weight: 10 }), event("rollout-step", 3500, { weight: 50 })];
  const figures = releaseFigures(release({ requests: [at(1500, "1"), ...during, ...later], events }));
  assert.equal(figures.canaryShare, 0.1);
  assert.equal(figures.commitToFirstTrafficMs, 1205);
  assert.equal(figures.commitToFullTrafficMs, during.findLast((request) => request.version === "1")!.doneMs - 1000);
});

test("a release taken back counts from the verdict to its last request", () => {
  const requests = [at(2000, "1"), at(2100, "2", 500), at(3010, "2"), at(3100, "1")];
  const events = [event("rollout-step", 1900, { weight: 10 }), event("analysis-completed", 3000, {}, "bad")];
  const figures = releaseFigures(release({ promoted: false, requests, events }));
  assert.equal(figures.outcome, "rolled back");
  assert.equal(figures.failedRequests, 1);
  assert.equal(figures.verdictToStableMs, 10);
  assert.equal(figures.commitToFullTrafficMs, null);
});

test("a request without any answer is a failed one", () => {
  assert.equal(releaseFigures(release({ requests: [at(2000, "2"), at(2100, "", 0)] })).failedRequests, 1);
});

test("the first release has all traffic from its first answer on", () => {
  const figures = releaseFigures(release({ requests: [at(2000, "2"), at(2010, "2")] }));
  assert.equal(figures.canaryShare, 1);
  assert.equal(figures.commitToFullTrafficMs, figures.commitToFirstTrafficMs);
});

test("the chart is darker where a version answered more, and marks failures", () => {
  const requests = [at(0, "1"), at(10, "1"), at(20, "2", 500), at(21, "1"), at(30, "2"), at(39, "2")];
  const rows = trafficChart(requests, ["1", "2"], 4).split("\n");
  assert.equal(rows[0], "1       │██▒ │");
  assert.equal(rows[1], "2       │  ▒█│");
  assert.equal(rows[2], "failed  │  × │");
});
