/** docker/metadata-action: the facts of a run to tags and labels. Pure. */
import { StepFailure } from "../../errors.ts";
import { fillHandlebars, formatDate } from "./handlebars.ts";
import type { Flavor, TagRule } from "./options.ts";
import { matchTag, pep440Tag, semverTag } from "./version-tags.ts";

export interface MetadataFacts {
  readonly eventName: string;
  readonly ref: string;
  readonly sha: string;
  readonly shortShaLength: number;
  readonly baseRef: string;
  readonly defaultBranch: string;
  readonly now: Temporal.Instant;
  readonly commitDate: Temporal.Instant;
  readonly repository: {
    readonly name: string;
    readonly description: string;
    readonly url: string;
    readonly license: string;
  };
}

export interface MetadataRequest {
  readonly images: readonly string[];
  readonly rules: readonly TagRule[];
  readonly flavor: Flavor;
  /** `key=value`, over the standard ones. */
  readonly labels: readonly string[];
}

export interface ImageMetadata {
  readonly version: string;
  /** With the image's name; bare when no image is named. */
  readonly tags: readonly string[];
  readonly tagNames: readonly string[];
  readonly labels: readonly (readonly [string, string])[];
  readonly warnings: readonly string[];
}

interface Version {
  readonly main: string | undefined;
  readonly partial: readonly string[];
  readonly latest: boolean | undefined;
}

/** What one rule gives: a tag, and whether `latest` goes with it. */
export interface RuleResult {
  readonly tag: string;
  readonly latest: boolean;
}

export function planMetadata(request: MetadataRequest, facts: MetadataFacts): ImageMetadata {
  const warnings: string[] = [];
  let version: Version = { main: undefined, partial: [], latest: undefined };
  for (const rule of request.rules) {
    if (!enabled(rule, facts)) continue;
    const result = applyRule(rule, facts, (text) => void warnings.push(text));
    const tag = result === undefined ? "" : decorate(result.tag, rule, request.flavor, facts);
    if (result === undefined || tag === "") continue;
    version = {
      main: version.main ?? tag,
      partial: version.main === undefined ? [] : [...version.partial, tag],
      latest: version.latest ?? (request.flavor.latest === "auto" ? result.latest : request.flavor.latest === "true"),
    };
  }
  const names = tagNames(version, request.flavor);
  const tags =
    request.images.length === 0 ? names : request.images.flatMap((image) => names.map((tag) => `${image}:${tag}`));
  const labels = labelsOf(request, version.main ?? "", facts);
  return { version: version.main ?? "", tags, tagNames: names, labels, warnings };
}

function enabled(rule: TagRule, facts: MetadataFacts): boolean {
  const value = fillHandlebars(rule.attributes["enable"] ?? "true", facts).trim();
  if (value === "true") return true;
  if (value === "false" || value === "") return false;
  throw new StepFailure(`Invalid value "${value}" for the enable attribute of a tag rule: it must be true or false`);
}

function applyRule(rule: TagRule, facts: MetadataFacts, warn: (text: string) => void): RuleResult | undefined {
  const { attributes } = rule;
  switch (rule.type) {
    case "raw":
      return { tag: fillHandlebars(attributes["value"] ?? "", facts), latest: false };
    case "sha":
      return {
        tag: attributes["format"] === "long" ? facts.sha : facts.sha.slice(0, facts.shortShaLength),
        latest: false,
      };
    case "schedule":
      if (facts.eventName !== "schedule") return undefined;
      return { tag: fillHandlebars(attributes["pattern"] ?? "nightly", facts), latest: false };
    case "edge":
      return edgeTag(attributes["branch"], facts);
    case "ref":
      return refTag(attributes["event"] ?? "", facts);
    case "semver":
      return semverTag(attributes, facts, warn);
    case "match":
      return matchTag(attributes, facts);
    case "pep440":
      return pep440Tag(attributes, facts, warn);
  }
}

function edgeTag(branch: string | undefined, facts: MetadataFacts): RuleResult | undefined {
  const wanted = branch === undefined || branch === "" ? facts.defaultBranch : branch;
  return facts.ref === `refs/heads/${wanted}` ? { tag: "edge", latest: false } : undefined;
}

function refTag(event: string, facts: MetadataFacts): RuleResult | undefined {
  const [, kind, name = ""] = /^refs\/(heads|tags|pull)\/(.+)$/.exec(facts.ref) ?? [];
  if (event === "branch" && kind === "heads") return { tag: name, latest: false };
  if (event === "tag" && kind === "tags") return { tag: name, latest: true };
  if (event === "pr" && kind === "pull") return { tag: name.replace(/\/merge$/, ""), latest: false };
  return undefined;
}

/** Prefix and suffix of the rule, or else of the flavor; then what a tag cannot hold is replaced. */
function decorate(tag: string, rule: TagRule, flavor: Flavor, facts: MetadataFacts): string {
  const ownPrefix =
    rule.type === "sha" ? "sha-" : rule.type === "ref" && rule.attributes["event"] === "pr" ? "pr-" : undefined;
  const prefix = rule.attributes["prefix"] ?? ownPrefix ?? flavor.prefix;
  const suffix = rule.attributes["suffix"] ?? flavor.suffix;
  const whole = `${fillHandlebars(prefix, facts)}${tag}${fillHandlebars(suffix, facts)}`;
  return whole.replaceAll(/[^a-zA-Z0-9._-]+/g, "-").slice(0, 128);
}

function tagNames(version: Version, flavor: Flavor): string[] {
  if (version.main === undefined) return [];
  const latest = `${flavor.prefixLatest ? flavor.prefix : ""}latest${flavor.suffixLatest ? flavor.suffix : ""}`;
  return [...new Set([version.main, ...version.partial, ...(version.latest === true ? [latest] : [])])];
}

function labelsOf(request: MetadataRequest, version: string, facts: MetadataFacts): [string, string][] {
  const { repository } = facts;
  const labels = new Map<string, string>([
    ["org.opencontainers.image.title", repository.name],
    ["org.opencontainers.image.description", repository.description],
    ["org.opencontainers.image.url", repository.url],
    ["org.opencontainers.image.source", repository.url],
    ["org.opencontainers.image.version", version],
    ["org.opencontainers.image.created", formatDate(facts.commitDate, "YYYY-MM-DD[T]HH:mm:ss.SSS[Z]", "UTC")],
    ["org.opencontainers.image.revision", facts.sha],
    ["org.opencontainers.image.licenses", repository.license],
  ]);
  for (const line of request.labels) {
    const equals = line.indexOf("=");
    if (equals <= 0) throw new StepFailure(`Label "${line}" has no value: write <key>=<value>`);
    labels.set(line.slice(0, equals).trim(), fillHandlebars(line.slice(equals + 1), facts));
  }
  return [...labels].sort(([a], [b]) => (a < b ? -1 : 1));
}
