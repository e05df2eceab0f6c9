/**
 * When a cron schedule comes due: pure. A time zone's clock decides: an hour that is skipped in spring runs nothing, one
 * that comes twice in autumn runs what is in it twice, as upstream.
 */
import { parseGoDuration } from "#lib";

export interface Schedule {
  /** The first time strictly after this one; undefined where there is none within five years (31 February). */
  next(afterMs: number): number | undefined;
}

interface Field {
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const fields: readonly Field[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"] },
  { min: 0, max: 6, names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] },
];

const macros: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

/** Undefined for what is no schedule; why, the validation of CronJobs says. Throws RangeError for an unknown time zone. */
export function parseSchedule(text: string, timeZone: string): Schedule | undefined {
  const [, zone = timeZone, rest = ""] = /^(?:(?:CRON_)?TZ=(\S+)\s+)?(.*)$/s.exec(text.trim()) ?? [];
  const every = /^@every (.+)$/.exec(rest)?.[1];
  if (every !== undefined) return everySchedule(every);
  const parts = (macros[rest] ?? rest).split(/\s+/);
  if (parts.length !== fields.length) return undefined;
  const sets = fields.map((field, index) => readField(parts[index] ?? "", field));
  if (sets.some((set) => set.size === 0)) return undefined;
  // Fails here rather than at the first run.
  Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(zone);
  const free = [parts[2], parts[4]].some((part) => /^[*?](?:\/1)?$/.test(part ?? ""));
  const [minutes, hours, days, months, weekdays] = sets as [
    Set<number>,
    Set<number>,
    Set<number>,
    Set<number>,
    Set<number>,
  ];
  const rules = { minutes, hours, days, months, weekdays, free, zone };
  return { next: (afterMs) => nextTime(rules, afterMs) };
}

function everySchedule(text: string): Schedule | undefined {
  const wanted = parseGoDuration(text);
  if (wanted === undefined) return undefined;
  const ms = Math.max(1000, Math.floor(wanted / 1000) * 1000);
  return { next: (afterMs) => Math.floor(afterMs / 1000) * 1000 + ms };
}

function readField(text: string, field: Field): Set<number> {
  const values = new Set<number>();
  for (const part of text.split(",")) {
    const [range = "", step = "1"] = part.split("/");
    const [first = "", last] = range.split("-");
    const any = first === "*" || first === "?";
    const start = any ? field.min : valueOf(first, field);
    const open = any || (last === undefined && part.includes("/"));
    const end = open ? field.max : last === undefined ? start : valueOf(last, field);
    const stride = /^\d+$/.test(step) ? Number(step) : 0;
    if (stride === 0 || !(start >= field.min && end <= field.max && start <= end)) return new Set();
    for (let value = start; value <= end; value += stride) values.add(value);
  }
  return values;
}

function valueOf(text: string, { min, names }: Field): number {
  const named = names?.indexOf(text.toLowerCase()) ?? -1;
  if (named >= 0) return named + min;
  return /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN;
}

interface Rules {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  readonly weekdays: ReadonlySet<number>;
  /** Day of month or day of week says nothing; where both say something, either is enough. */
  readonly free: boolean;
  readonly zone: string;
}

const minuteMs = 60_000;
const horizonYears = 5;

function nextTime(rules: Rules, afterMs: number): number | undefined {
  let time = zoned((Math.floor(afterMs / minuteMs) + 1) * minuteMs, rules.zone);
  const lastYear = time.year + horizonYears;
  while (time.year <= lastYear) {
    if (!rules.months.has(time.month)) time = time.with({ day: 1 }).startOfDay().add({ months: 1 }).startOfDay();
    else if (!isDay(rules, time)) time = time.startOfDay().add({ days: 1 }).startOfDay();
    // By the instant and not by the clock's hour: an hour that comes twice is looked at twice.
    else if (!rules.hours.has(time.hour)) time = later(time, 60 - time.minute, rules.zone);
    else if (!rules.minutes.has(time.minute)) time = later(time, minutesToNext(rules, time.minute), rules.zone);
    else return time.epochMilliseconds;
  }
  return undefined;
}

function zoned(ms: number, zone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(zone);
}

function later(time: Temporal.ZonedDateTime, minutes: number, zone: string): Temporal.ZonedDateTime {
  return zoned(time.epochMilliseconds + minutes * minuteMs, zone);
}

function minutesToNext({ minutes }: Rules, minute: number): number {
  for (let candidate = minute + 1; candidate < 60; candidate++) if (minutes.has(candidate)) return candidate - minute;
  return 60 - minute;
}

function isDay({ days, weekdays, free }: Rules, { day, dayOfWeek }: Temporal.ZonedDateTime): boolean {
  const byDay = days.has(day);
  const byWeekday = weekdays.has(dayOfWeek % 7);
  return free ? byDay && byWeekday : byDay || byWeekday;
}
