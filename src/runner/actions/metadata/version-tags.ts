/** docker/metadata-action's rules about versions: `semver`, `pep440` and `match`. Pure. */
import semver from "semver";
import { StepFailure } from "../../errors.ts";
import { fillHandlebars } from "./handlebars.ts";
import { readPythonVersion } from "./pep440.ts";
import type { MetadataFacts, RuleResult } from "./plan-metadata.ts";

type Attributes = Readonly<Record<string, string>>;
type Warn = (text: string) => void;

/** The tag that was pushed, or `value=`. */
function subject(attributes: Attributes, facts: MetadataFacts): string | undefined {
  const value = attributes["value"];
  if (value !== undefined && value !== "") return fillHandlebars(value, facts);
  return facts.ref.startsWith("refs/tags/") ? facts.ref.slice("refs/tags/".length) : undefined;
}

/** Of the subject what `match=` finds, as it can be in a tag. */
function versionText(attributes: Attributes, facts: MetadataFacts, warn: Warn): string | undefined {
  const whole = subject(attributes, facts);
  const pattern = attributes["match"] ?? "";
  if (whole === undefined || pattern === "") return whole?.replaceAll("/", "-");
  const found = expression(pattern, "").exec(whole);
  if (found === null) warn(`${pattern} does not match ${whole}.`);
  return (found?.[1] ?? whole).replaceAll("/", "-");
}

export function semverTag(attributes: Attributes, facts: MetadataFacts, warn: Warn): RuleResult | undefined {
  const raw = versionText(attributes, facts, warn);
  if (raw === undefined) return undefined;
  const parsed = semver.parse(raw);
  if (parsed === null) {
    warn(`${raw} is not a valid semver. More info: https://semver.org/`);
    return undefined;
  }
  const pattern = attributes["pattern"] ?? "{{version}}";
  // A pre-release is tagged by its whole version only: it must not move `1.2` or `latest`.
  const prerelease = parsed.prerelease.length > 0;
  const used = prerelease && !isRaw(pattern) ? "{{version}}" : pattern;
  const names = {
    raw,
    version: parsed.version,
    major: String(parsed.major),
    minor: String(parsed.minor),
    patch: String(parsed.patch),
  };
  return { tag: fillHandlebars(used, facts, names), latest: !prerelease };
}

export function pep440Tag(attributes: Attributes, facts: MetadataFacts, warn: Warn): RuleResult | undefined {
  const raw = versionText(attributes, facts, warn);
  if (raw === undefined) return undefined;
  const parsed = readPythonVersion(raw);
  if (parsed === undefined) {
    warn(`${raw} does not conform to PEP 440. More info: https://www.python.org/dev/peps/pep-0440`);
    return undefined;
  }
  const pattern = attributes["pattern"] ?? "{{version}}";
  if (!parsed.final) return { tag: isRaw(pattern) ? raw : parsed.normal, latest: false };
  const [major = 0, minor = 0, patch = 0] = parsed.release;
  const names = {
    raw,
    version: parsed.normal,
    major: String(major),
    minor: String(minor),
    patch: String(patch),
  };
  return { tag: fillHandlebars(pattern, facts, names), latest: true };
}

function isRaw(pattern: string): boolean {
  return /^\{\{\s*raw\s*\}\}$/.test(pattern);
}

export function matchTag(attributes: Attributes, facts: MetadataFacts): RuleResult | undefined {
  const text = subject(attributes, facts);
  if (text === undefined) return undefined;
  const written = attributes["pattern"] ?? "";
  const [, body, flags] = /^\/(.+)\/([gimsuy]*)$/.exec(written) ?? [];
  const group = Number(attributes["group"] ?? "0");
  const found = expression(body ?? written, flags ?? "").exec(text)?.[group];
  return found === undefined ? undefined : { tag: found, latest: true };
}

function expression(written: string, flags: string): RegExp {
  try {
    return new RegExp(written, flags);
  } catch {
    throw new StepFailure(`"${written}" is not a regular expression`);
  }
}
