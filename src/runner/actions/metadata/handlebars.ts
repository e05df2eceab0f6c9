/** The `{{ }}` expressions of docker/metadata-action: pure. */
import { StepFailure } from "../../errors.ts";
import type { MetadataFacts } from "./plan-metadata.ts";

/** @param extra names that only this rule knows, such as `major` of a version */
export function fillHandlebars(
  text: string,
  facts: MetadataFacts,
  extra: Readonly<Record<string, string>> = {},
): string {
  return text.replace(/\{\{\s*(.*?)\s*\}\}/g, (_whole, inner: string) => {
    const own = extra[inner];
    return own ?? globalValue(inner, facts);
  });
}

function globalValue(inner: string, facts: MetadataFacts): string {
  const [name = ""] = inner.split(/\s+/);
  switch (name) {
    case "branch":
      return facts.ref.startsWith("refs/heads/") ? facts.ref.slice("refs/heads/".length) : "";
    case "tag":
      return facts.ref.startsWith("refs/tags/") ? facts.ref.slice("refs/tags/".length) : "";
    case "sha":
      return facts.sha.slice(0, facts.shortShaLength);
    case "base_ref":
      return facts.baseRef;
    case "is_default_branch":
      return String(isDefaultBranch(facts));
    case "is_not_default_branch":
      return String(!isDefaultBranch(facts));
    case "date":
      return formattedDate(inner, facts.now);
    case "commit_date":
      return formattedDate(inner, facts.commitDate);
    default:
      throw new StepFailure(
        `Unknown expression "{{${inner}}}": use branch, tag, sha, base_ref, is_default_branch, is_not_default_branch, date or commit_date`,
      );
  }
}

function isDefaultBranch(facts: MetadataFacts): boolean {
  return facts.defaultBranch !== "" && facts.ref === `refs/heads/${facts.defaultBranch}`;
}

function formattedDate(inner: string, instant: Temporal.Instant): string {
  const [, format] = /^\S+\s+'([^']*)'/.exec(inner) ?? [];
  const [, zone] = /tz='([^']*)'/.exec(inner) ?? [];
  if (format === undefined) throw new StepFailure(`"{{${inner}}}" needs a format, for example {{date 'YYYYMMDD'}}`);
  return formatDate(instant, format, zone ?? "UTC");
}

/** The tokens of Moment that file names and tags use. */
export function formatDate(instant: Temporal.Instant, format: string, zone: string): string {
  let time: Temporal.ZonedDateTime;
  try {
    time = instant.toZonedDateTimeISO(zone);
  } catch {
    throw new StepFailure(`"${zone}" is not a time zone: use a name such as Europe/Berlin`);
  }
  const two = (value: number): string => String(value).padStart(2, "0");
  const tokens: Readonly<Record<string, string>> = {
    YYYY: String(time.year),
    YY: String(time.year).slice(-2),
    MM: two(time.month),
    M: String(time.month),
    DDDD: String(time.dayOfYear).padStart(3, "0"),
    DD: two(time.day),
    D: String(time.day),
    HH: two(time.hour),
    H: String(time.hour),
    mm: two(time.minute),
    m: String(time.minute),
    ss: two(time.second),
    s: String(time.second),
    SSS: String(time.millisecond).padStart(3, "0"),
    X: String(Math.floor(time.epochMilliseconds / 1000)),
    x: String(time.epochMilliseconds),
    ZZ: time.offset.replace(":", ""),
    Z: time.offset,
  };
  return format.replace(
    /\[([^\]]*)\]|YYYY|YY|MM|M|DDDD|DD|D|HH|H|mm|m|ss|s|SSS|X|x|ZZ|Z/g,
    (token, literal?: string) => literal ?? tokens[token] ?? token,
  );
}
