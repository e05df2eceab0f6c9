/** The five-field cron schedule upstream reads, checked for sense. Who computes its times has a parser of its own. Pure. */

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const fields: readonly Field[] = [
  { name: "minute", min: 0, max: 59 },
  { name: "hour", min: 0, max: 23 },
  { name: "day of month", min: 1, max: 31 },
  { name: "month", min: 1, max: 12, names: months },
  { name: "day of week", min: 0, max: 6, names: days },
];
const descriptors = new Set(["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"]);

/** Why the text is no schedule; undefined when it is one. */
export function cronProblem(text: string): string | undefined {
  const schedule = text.replace(/^(?:CRON_)?TZ=\S+\s+/, "").trim();
  if (schedule.startsWith("@")) {
    if (descriptors.has(schedule) || /^@every (?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$/.test(schedule)) {
      return undefined;
    }
    return `unrecognized descriptor: ${schedule}`;
  }
  const parts = schedule.split(/\s+/);
  if (parts.length !== fields.length) {
    return `expected exactly 5 fields, found ${parts.length}: [${parts.join(" ")}]`;
  }
  for (const [index, field] of fields.entries()) {
    const why = fieldProblem(parts[index] ?? "", field);
    if (why !== undefined) return why;
  }
  return undefined;
}

function fieldProblem(text: string, field: Field): string | undefined {
  for (const part of text.split(",")) {
    const [range = "", step, ...more] = part.split("/");
    if (more.length > 0) return `too many slashes: ${part}`;
    if (step !== undefined && !/^\d+$/.test(step)) return `failed to parse int from ${step}`;
    if (Number(step) === 0) return `step of range should be a positive number: ${part}`;
    if (range === "*" || range === "?") continue;
    const ends = range.split("-").map((end) => valueOf(end, field));
    const [start = Number.NaN, end = start] = ends;
    if (ends.length > 2) return `too many hyphens: ${part}`;
    if (Number.isNaN(start) || Number.isNaN(end)) return `failed to parse ${field.name} from ${part}`;
    if (start < field.min) return `beginning of range (${start}) below minimum (${field.min}): ${part}`;
    if (end > field.max) return `end of range (${end}) above maximum (${field.max}): ${part}`;
    if (start > end) return `beginning of range (${start}) beyond end of range (${end}): ${part}`;
  }
  return undefined;
}

function valueOf(text: string, { min, names }: Field): number {
  const named = names?.indexOf(text.toLowerCase()) ?? -1;
  if (named >= 0) return named + min;
  return /^\d+$/.test(text) ? Number(text) : Number.NaN;
}
