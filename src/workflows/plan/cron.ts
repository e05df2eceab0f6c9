/**
 * When a schedule is due. POSIX cron with five fields, in a time zone.
 *
 * Clocks that change: a time of day that does not exist on a day is due right after the gap, one that comes twice is due
 * the first time. A schedule whose hour is `*` or a step of it follows real time instead: every hour, whatever it is called.
 */

export interface Cron {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  /** 0 is Sunday. */
  readonly weekdays: ReadonlySet<number>;
  /** With both restricted, a day is due when either fits. */
  readonly anyDay: boolean;
  readonly anyWeekday: boolean;
  /** Due at any hour or each so many hours: of real time. */
  readonly hourly: boolean;
}

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const months = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const weekdays = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const fields = [
  { name: "minute", min: 0, max: 59 },
  { name: "hour", min: 0, max: 23 },
  { name: "day of the month", min: 1, max: 31 },
  { name: "month", min: 1, max: 12, names: months },
  { name: "day of the week", min: 0, max: 6, names: weekdays },
] as const satisfies readonly Field[];

export type CronReading =
  | { readonly cron: Cron; readonly problem?: never }
  | { readonly problem: string; readonly cron?: never };

const maxLength = 200;

export function parseCron(text: string): CronReading {
  if (text.length > maxLength) return { problem: `Cron has ${text.length} characters of ${maxLength} allowed` };
  const parts = text.trim().split(/\s+/);
  if (parts.length !== fields.length) {
    const remedy = "Write minute, hour, day of the month, month, day of the week, e.g. 30 4 * * 1-5";
    return { problem: `Cron "${text}" has ${parts.length} fields of ${fields.length} needed. ${remedy}` };
  }
  const sets: Set<number>[] = [];
  for (const [index, field] of fields.entries()) {
    const values = parseField(parts[index] ?? "", field);
    if (typeof values === "string") return { problem: `Cron "${text}": ${values}` };
    sets.push(values);
  }
  const [minutes, hours, days, monthSet, weekdaySet] = sets as [
    Set<number>,
    Set<number>,
    Set<number>,
    Set<number>,
    Set<number>,
  ];
  const wild = (index: number): boolean => (parts[index] ?? "").startsWith("*");
  const cron = {
    minutes,
    hours,
    days,
    months: monthSet,
    weekdays: weekdaySet,
    anyDay: wild(2),
    anyWeekday: wild(4),
    hourly: wild(1),
  };
  if (nextTime(cron, "UTC", Temporal.Instant.fromEpochMilliseconds(0)) === undefined) {
    return { problem: `Cron "${text}" is never due: there is no such day. Correct day and month` };
  }
  return { cron };
}

/** The values the field stands for, or what is wrong with it. */
function parseField(text: string, field: Field): Set<number> | string {
  const values = new Set<number>();
  for (const part of text.split(",")) {
    const match = /^(\*|[A-Za-z0-9]+)(?:-([A-Za-z0-9]+))?(?:\/(\d+))?$/.exec(part);
    const [, first = "", last, step] = match ?? [];
    const from = first === "*" ? field.min : valueOf(first, field);
    const to = first === "*" || (step !== undefined && last === undefined) ? field.max : valueOf(last ?? first, field);
    const by = step === undefined ? 1 : Number(step);
    const wrong = match === null || from === undefined || to === undefined || from > to || by < 1 || by > field.max;
    if (wrong || (first === "*" && last !== undefined)) {
      return `"${part}" is no ${field.name}. Use *, ${field.min} to ${field.max}, ranges, lists and steps`;
    }
    for (let value = from; value <= to; value += by) values.add(value);
  }
  return values;
}

function valueOf(text: string, field: Field): number | undefined {
  const named = field.names?.indexOf(text.toUpperCase()) ?? -1;
  if (named >= 0) return field.min + named;
  if (!/^\d{1,2}$/.test(text)) return undefined;
  // Sunday is 0 and, as many write it, 7.
  const value = field.name === "day of the week" && text === "7" ? 0 : Number(text);
  return value >= field.min && value <= field.max ? value : undefined;
}

/** Every 29th of February that falls on a certain weekday comes back within 40 years at most. */
const horizonDays = 366 * 41;

/** The first time after `after`; undefined when it never comes. The zone must be known. */
export function nextTime(cron: Cron, timezone: string, after: Temporal.Instant): Temporal.Instant | undefined {
  const start = after.toZonedDateTimeISO(timezone);
  let date = start.toPlainDate();
  for (let count = 0; count <= horizonDays; count += 1) {
    if (!cron.months.has(date.month)) {
      const next = date.with({ day: 1 }).add({ months: 1 });
      count += date.until(next).days - 1;
      date = next;
      continue;
    }
    if (isDue(cron, date)) {
      const found = cron.hourly ? firstHourly(cron, timezone, date, after) : firstOfDay(cron, timezone, date, after);
      if (found !== undefined) return found;
    }
    date = date.add({ days: 1 });
  }
  return undefined;
}

function isDue(cron: Cron, date: Temporal.PlainDate): boolean {
  const day = cron.days.has(date.day);
  const weekday = cron.weekdays.has(date.dayOfWeek % 7);
  return cron.anyDay || cron.anyWeekday ? day && weekday : day || weekday;
}

function sorted(values: ReadonlySet<number>): readonly number[] {
  return [...values].sort((a, b) => a - b);
}

/** By the time of day; `compatible` takes the first of two and goes forward over a gap. */
function firstOfDay(
  cron: Cron,
  timezone: string,
  date: Temporal.PlainDate,
  after: Temporal.Instant,
): Temporal.Instant | undefined {
  for (const hour of sorted(cron.hours)) {
    for (const minute of sorted(cron.minutes)) {
      const local = date.toPlainDateTime({ hour, minute });
      const instant = local.toZonedDateTime(timezone, { disambiguation: "compatible" }).toInstant();
      if (Temporal.Instant.compare(instant, after) > 0) return instant;
    }
  }
  return undefined;
}

/** Through the day in real time: both hours of a repeated one, none of a missing one. */
function firstHourly(
  cron: Cron,
  timezone: string,
  date: Temporal.PlainDate,
  after: Temporal.Instant,
): Temporal.Instant | undefined {
  const end = date.add({ days: 1 }).toZonedDateTime(timezone).toInstant();
  const begin = date.toZonedDateTime(timezone).toInstant();
  const from = Temporal.Instant.compare(after, begin) < 0 ? begin : after.add({ minutes: 1 });
  let at = from.toZonedDateTimeISO(timezone).round({ smallestUnit: "minute", roundingMode: "floor" }).toInstant();
  while (Temporal.Instant.compare(at, end) < 0) {
    const local = at.toZonedDateTimeISO(timezone);
    const fits = cron.hours.has(local.hour) && cron.minutes.has(local.minute);
    if (fits && Temporal.Instant.compare(at, after) > 0) return at;
    at = at.add({ minutes: 1 });
  }
  return undefined;
}

export function isTimezone(name: string): boolean {
  // Temporal takes offsets too; a schedule names a zone, whose clocks change.
  if (/^[+-]/.test(name)) return false;
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name);
    return true;
  } catch {
    return false;
  }
}
