import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isTimezone, nextTime, parseCron } from "./cron.ts";

/** The next times from an instant on. */
function times(text: string, timezone: string, after: string, count: number): readonly string[] {
  const { cron } = parseCron(text);
  assert.ok(cron);
  const found: string[] = [];
  let at: Temporal.Instant | undefined = Temporal.Instant.from(after);
  for (let i = 0; i < count; i += 1) {
    at = nextTime(cron, timezone, at);
    assert.ok(at);
    found.push(at.toZonedDateTimeISO(timezone).toString({ timeZoneName: "never", smallestUnit: "minute" }));
  }
  return found;
}

describe("a schedule", () => {
  const cases: readonly (readonly [string, string, string, string, readonly string[]])[] = [
    ["is due after the moment, never at it", "5 4 * * *", "UTC", "2026-01-01T04:05:00Z", ["2026-01-02T04:05+00:00"]],
    [
      "takes lists, ranges and steps",
      "0,30 9-17/4 * * *",
      "UTC",
      "2026-01-01T09:10:00Z",
      ["2026-01-01T09:30+00:00", "2026-01-01T13:00+00:00", "2026-01-01T13:30+00:00", "2026-01-01T17:00+00:00"],
    ],
    [
      "takes names, and Sunday as 7",
      "0 0 * feb sun",
      "UTC",
      "2026-01-01T00:00:00Z",
      ["2026-02-01T00:00+00:00", "2026-02-08T00:00+00:00"],
    ],
    [
      "with both days restricted is due on either",
      "0 0 13 * 5",
      "UTC",
      "2026-02-07T00:00:00Z",
      ["2026-02-13T00:00+00:00", "2026-02-20T00:00+00:00", "2026-02-27T00:00+00:00", "2026-03-06T00:00+00:00"],
    ],
    ["waits for a leap year", "0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", ["2028-02-29T00:00+00:00"]],
    [
      "steps from a start to the end of its field",
      "50/5 23 31 12 *",
      "UTC",
      "2026-01-01T00:00:00Z",
      ["2026-12-31T23:50+00:00", "2026-12-31T23:55+00:00", "2027-12-31T23:50+00:00"],
    ],
    [
      "keeps its time of day when the clocks change",
      "0 9 * * *",
      "Europe/Berlin",
      "2026-03-28T00:00:00Z",
      ["2026-03-28T09:00+01:00", "2026-03-29T09:00+02:00"],
    ],
    [
      "in a missing hour is due right after the gap",
      "30 2 * * *",
      "Europe/Berlin",
      "2026-03-28T12:00:00Z",
      ["2026-03-29T03:30+02:00", "2026-03-30T02:30+02:00"],
    ],
    [
      "in a repeated hour is due once",
      "30 2 * * *",
      "Europe/Berlin",
      "2026-10-24T12:00:00Z",
      ["2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00"],
    ],
    [
      "of every hour follows real time through a repeated one",
      "0 * * * *",
      "Europe/Berlin",
      "2026-10-24T23:30:00Z",
      ["2026-10-25T02:00+02:00", "2026-10-25T02:00+01:00", "2026-10-25T03:00+01:00"],
    ],
    [
      "of every hour leaves a missing one out",
      "0 * * * *",
      "America/New_York",
      "2026-03-08T05:30:00Z",
      ["2026-03-08T01:00-05:00", "2026-03-08T03:00-04:00"],
    ],
    ["knows zones with half hours", "15 0 * * *", "Asia/Kolkata", "2026-01-01T00:00:00Z", ["2026-01-02T00:15+05:30"]],
  ];
  for (const [name, cron, timezone, after, want] of cases) {
    test(name, () => {
      assert.deepEqual(times(cron, timezone, after, want.length), want);
    });
  }

  const wrong: readonly (readonly [string, RegExp])[] = [
    ["* * * *", /4 fields of 5/],
    ["60 * * * *", /"60" is no minute/],
    ["* * 0 * *", /"0" is no day of the month/],
    ["* * * 13 *", /"13" is no month/],
    ["5-1 * * * *", /"5-1" is no minute/],
    ["*/0 * * * *", /"\*\/0" is no minute/],
    ["@daily", /1 fields of 5/],
    ["0 0 31 2 *", /never due/],
    ["1,,2 * * * *", /"" is no minute/],
  ];
  for (const [cron, message] of wrong) {
    test(`"${cron}" is refused`, () => {
      assert.match(parseCron(cron).problem ?? "", message);
    });
  }

  test("names of zones are told from anything else", () => {
    assert.deepEqual(["Europe/Berlin", "UTC", "+02:00", "Mars/Olympus", ""].map(isTimezone), [
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});
