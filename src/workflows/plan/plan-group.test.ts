import assert from "node:assert/strict";
import { test } from "node:test";
import { planGroup, type GroupRun } from "./plan-group.ts";

/** `a2`: active run 2; `p3!`: pending run 3 that cancels what is in progress; `p4+`: pending with `queue: max`. */
function runs(text: string): readonly GroupRun[] {
  return text.split(" ").map((word) => ({
    id: word.replace(/\D/g, ""),
    state: word.startsWith("a") ? "active" : "pending",
    cancelRequested: word.endsWith("x"),
    cancelInProgress: word.endsWith("!"),
    queue: word.endsWith("+") ? "max" : "single",
  }));
}

const cases = [
  { name: "a run alone starts", given: "p1", want: ["start 1"] },
  { name: "a run waits for the active one", given: "a1 p2", want: [] },
  { name: "the newest takes the place of what waits", given: "a1 p2 p3", want: ["cancel 2"] },
  { name: "with queue max all wait", given: "a1 p2+ p3+", want: [] },
  { name: "with queue max the first starts when nobody is active", given: "p2+ p3+", want: ["start 2"] },
  { name: "cancel-in-progress cancels the active one and waits for its end", given: "a1 p2!", want: ["cancel 1"] },
  { name: "an active run is cancelled once", given: "a1x p2!", want: [] },
  {
    name: "of runs that came at once the first starts and the last waits",
    given: "p1 p2 p3",
    want: ["cancel 2", "start 1"],
  },
  { name: "with cancel-in-progress only the newest starts", given: "p1 p2!", want: ["cancel 1", "start 2"] },
];

for (const { name, given, want } of cases) {
  test(name, () => {
    assert.deepEqual(
      planGroup(runs(given)).map((action) => `${action.kind} ${action.runId}`),
      want,
    );
  });
}
