import assert from "node:assert/strict";
import { test } from "node:test";
import { dueTime } from "./due-time.ts";
import { parseSchedule, type Schedule } from "./schedule.ts";

function parsed(text: string, zone = "UTC"): Schedule {
  const schedule = parseSchedule(text, zone);
  assert.ok(schedule, `"${text}" is a schedule`);
  return schedule;
}

function ms(time: string): number {
  return Temporal.Instant.from(time).epochMilliseconds;
}

const nextTimes: { name: string; schedule: string; zone?: string; after: string; want: string[] }[] = [
  {
    name: "every minute",
    schedule: "* * * * *",
    after: "2026-01-01T00:00:30Z",
    want: ["2026-01-01T00:01:00Z", "2026-01-01T00:02:00Z"],
  },
  {
    name: "the very minute is past",
    schedule: "5 * * * *",
    after: "2026-01-01T00:05:00Z",
    want: ["2026-01-01T01:05:00Z"],
  },
  {
    name: "steps",
    schedule: "*/20 * * * *",
    after: "2026-01-01T00:30:00Z",
    want: ["2026-01-01T00:40:00Z", "2026-01-01T01:00:00Z"],
  },
  {
    name: "a step from a number goes to the end",
    schedule: "50/4 8 * * *",
    after: "2026-01-01T00:00:00Z",
    want: ["2026-01-01T08:50:00Z", "2026-01-01T08:54:00Z", "2026-01-01T08:58:00Z"],
  },
  {
    name: "ranges, lists and names",
    schedule: "0 9-10 * jan,MAR mon-wed",
    after: "2026-01-28T12:00:00Z",
    want: ["2026-03-02T09:00:00Z", "2026-03-02T10:00:00Z"],
  },
  {
    name: "day and weekday: either is enough",
    schedule: "0 0 13 * fri",
    after: "2026-02-28T00:00:00Z",
    want: ["2026-03-06T00:00:00Z", "2026-03-13T00:00:00Z", "2026-03-20T00:00:00Z"],
  },
  {
    name: "a weekday alone is not any day",
    schedule: "0 0 * * 0",
    after: "2026-01-01T00:00:00Z",
    want: ["2026-01-04T00:00:00Z"],
  },
  {
    name: "the 31st skips short months",
    schedule: "0 0 31 * *",
    after: "2026-01-31T00:00:00Z",
    want: ["2026-03-31T00:00:00Z"],
  },
  {
    name: "29 February waits for its year",
    schedule: "0 0 29 2 *",
    after: "2026-01-01T00:00:00Z",
    want: ["2028-02-29T00:00:00Z"],
  },
  { name: "@hourly", schedule: "@hourly", after: "2026-01-01T00:10:00Z", want: ["2026-01-01T01:00:00Z"] },
  { name: "@weekly is Sunday", schedule: "@weekly", after: "2026-01-01T00:00:00Z", want: ["2026-01-04T00:00:00Z"] },
  {
    name: "@every counts from the last",
    schedule: "@every 1h30m",
    after: "2026-01-01T00:10:00Z",
    want: ["2026-01-01T01:40:00Z", "2026-01-01T03:10:00Z"],
  },
  {
    name: "a time zone's clock counts",
    schedule: "0 9 * * *",
    zone: "America/New_York",
    after: "2026-01-01T00:00:00Z",
    want: ["2026-01-01T14:00:00Z"],
  },
  {
    name: "a zone within the schedule",
    schedule: "CRON_TZ=Asia/Tokyo 0 9 * * *",
    after: "2026-01-01T01:00:00Z",
    want: ["2026-01-02T00:00:00Z"],
  },
  {
    name: "in spring the hour that is skipped runs nothing",
    schedule: "30 2 * * *",
    zone: "America/New_York",
    after: "2026-03-07T12:00:00Z",
    want: ["2026-03-09T06:30:00Z"],
  },
  {
    name: "every hour is every real hour in spring",
    schedule: "0 * * * *",
    zone: "Europe/Berlin",
    after: "2026-03-29T00:00:00Z",
    want: ["2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"],
  },
  {
    name: "in autumn the hour that comes twice runs twice",
    schedule: "30 1 * * *",
    zone: "America/New_York",
    after: "2026-11-01T00:00:00Z",
    want: ["2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z", "2026-11-02T06:30:00Z"],
  },
  {
    name: "where midnight is skipped the day still has its other hours",
    schedule: "0 1 * * *",
    zone: "America/Santiago",
    after: "2026-09-05T12:00:00Z",
    want: ["2026-09-06T04:00:00Z", "2026-09-07T04:00:00Z"],
  },
];

for (const { name, schedule, zone, after, want } of nextTimes) {
  test(name, () => {
    const { next } = parsed(schedule, zone);
    let time = ms(after);
    const times = want.map(() => {
      time = next(time) ?? Number.NaN;
      return Temporal.Instant.fromEpochMilliseconds(time).toString();
    });
    assert.deepEqual(times, want);
  });
}

test("31 February never comes", () => {
  assert.equal(parsed("0 0 31 2 *").next(ms("2026-01-01T00:00:00Z")), undefined);
});

for (const text of [
  "",
  "* * * *",
  "60 * * * *",
  "* * * * 8",
  "*/0 * * * *",
  "5-1 * * * *",
  "a * * * *",
  "@sometimes",
  "@every x",
]) {
  test(`"${text}" is no schedule`, () => assert.equal(parseSchedule(text, "UTC"), undefined));
}

test("an unknown time zone is refused", () => {
  assert.throws(() => parseSchedule("* * * * *", "Mars/Base"), RangeError);
});

const dues: {
  name: string;
  schedule: string;
  since: string;
  now: string;
  want: { at: string | undefined; many: boolean };
}[] = [
  {
    name: "nothing is due before its time",
    schedule: "0 * * * *",
    since: "2026-01-01T00:00:00Z",
    now: "2026-01-01T00:59:59Z",
    want: { at: undefined, many: false },
  },
  {
    name: "the time that has come is due",
    schedule: "0 * * * *",
    since: "2026-01-01T00:00:00Z",
    now: "2026-01-01T01:00:00Z",
    want: { at: "2026-01-01T01:00:00Z", many: false },
  },
  {
    name: "of several that were missed the last",
    schedule: "0 * * * *",
    since: "2026-01-01T00:00:00Z",
    now: "2026-01-01T05:30:00Z",
    want: { at: "2026-01-01T05:00:00Z", many: false },
  },
  {
    name: "more than a hundred are many",
    schedule: "* * * * *",
    since: "2026-01-01T00:00:00Z",
    now: "2026-01-01T01:41:00Z",
    want: { at: "2026-01-01T01:41:00Z", many: true },
  },
  {
    name: "a hundred are not",
    schedule: "* * * * *",
    since: "2026-01-01T00:00:00Z",
    now: "2026-01-01T01:40:00Z",
    want: { at: "2026-01-01T01:40:00Z", many: false },
  },
  {
    name: "times of uneven distance are found too",
    schedule: "0 8,9 1 * *",
    since: "2026-01-01T00:00:00Z",
    now: "2026-02-20T00:00:00Z",
    want: { at: "2026-02-01T09:00:00Z", many: true },
  },
];

for (const { name, schedule, since, now, want } of dues) {
  test(name, () => {
    const { atMs, many } = dueTime(parsed(schedule), ms(since), ms(now));
    const at = atMs === undefined ? undefined : Temporal.Instant.fromEpochMilliseconds(atMs).toString();
    assert.deepEqual({ at, many }, want);
  });
}
