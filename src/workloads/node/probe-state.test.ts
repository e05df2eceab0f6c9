import assert from "node:assert/strict";
import { test } from "node:test";
import type { Probe } from "#api";
import { initialProbe, type ProbeKind, type ProbeState, recordProbe } from "./probe-state.ts";

const probe: Probe = { httpGet: { port: 80 }, periodSeconds: 10, failureThreshold: 3, successThreshold: 1 };

/** Plays results in order, each at the time the state asks for; tells [time in s, verdict] after each. */
function play(kind: ProbeKind, given: Probe, results: string, known = false): [number, boolean | undefined][] {
  let state: ProbeState = initialProbe(kind, given, 0, known);
  return results.split("").map((result) => {
    const atMs = state.nextAtMs;
    state = recordProbe(kind, given, state, { ok: result === "+", atMs });
    return [atMs / 1000, state.verdict];
  });
}

const cases: {
  name: string;
  kind: ProbeKind;
  probe?: Partial<Probe>;
  known?: boolean;
  results: string;
  want: [number, boolean | undefined][];
}[] = [
  {
    name: "readiness is looked for every 100 ms until it is there, then every period",
    kind: "readiness",
    results: "--++",
    want: [
      [0, undefined],
      [0.1, undefined],
      [0.2, true],
      [10, true],
    ],
  },
  {
    name: "nothing is looked at before the initial delay",
    kind: "readiness",
    probe: { initialDelaySeconds: 5 },
    results: "+",
    want: [[5, true]],
  },
  {
    name: "readiness is lost after failureThreshold regular failures",
    kind: "readiness",
    results: "+---",
    want: [
      [0, true],
      [10, true],
      [20, true],
      [30, false],
    ],
  },
  {
    name: "one success between failures starts the count over",
    kind: "liveness",
    results: "--+---",
    want: [
      [10, undefined],
      [20, undefined],
      [30, true],
      [40, true],
      [50, true],
      [60, false],
    ],
  },
  {
    name: "several successes that are asked for are a period apart",
    kind: "readiness",
    probe: { successThreshold: 2 },
    results: "++",
    want: [
      [0, undefined],
      [10, true],
    ],
  },
  {
    name: "a command is looked at once a second, not ten times",
    kind: "startup",
    probe: { httpGet: undefined as never, exec: { command: ["true"] } },
    results: "-+",
    want: [
      [0, undefined],
      [1, true],
    ],
  },
  {
    name: "what was ready before we came back stays ready until it fails as often as it may",
    kind: "readiness",
    known: true,
    probe: { failureThreshold: 2 },
    results: "--",
    want: [
      [0, true],
      [10, true],
    ],
  },
];

for (const { name, kind, probe: more = {}, known = false, results, want } of cases) {
  test(name, () => assert.deepEqual(play(kind, { ...probe, ...more }, results, known), want));
}

test("looks between the ticks never bring a startup probe's failure nearer", () => {
  const results = play("startup", { ...probe, periodSeconds: 1, failureThreshold: 3 }, "-".repeat(40));

  const failedAt = results.find(([, verdict]) => verdict === false)?.[0];

  assert.equal(failedAt, 3);
});
