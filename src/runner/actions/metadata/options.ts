/** The little languages of docker/metadata-action: `type=ref,event=branch,prefix=x` lines and `latest=auto` flavors. */
import { StepFailure } from "../../errors.ts";

const tagTypes = ["schedule", "semver", "pep440", "match", "edge", "ref", "raw", "sha"] as const;
type TagType = (typeof tagTypes)[number];

export interface TagRule {
  readonly type: TagType;
  readonly attributes: Readonly<Record<string, string>>;
  /** Higher comes first; the first rule that gives a tag names the version. */
  readonly priority: number;
}

/** docker/metadata-action README, "priority attribute". */
const priorities: Readonly<Record<TagType, number>> = {
  schedule: 1000,
  semver: 900,
  pep440: 900,
  match: 800,
  edge: 700,
  ref: 600,
  raw: 200,
  sha: 100,
};

const defaultRules = ["type=schedule", "type=ref,event=branch", "type=ref,event=tag", "type=ref,event=pr"];

export function parseTagRules(lines: readonly string[]): TagRule[] {
  const rules = (lines.length === 0 ? defaultRules : lines).map(parseTagRule);
  return rules.sort((a, b) => b.priority - a.priority);
}

function parseTagRule(line: string): TagRule {
  const attributes: Record<string, string> = {};
  for (const field of splitFields(line)) {
    const equals = field.indexOf("=");
    // A bare word is the value of a raw tag.
    if (equals === -1) attributes["value"] = field;
    else attributes[field.slice(0, equals).trim().toLowerCase()] = field.slice(equals + 1).trim();
  }
  const type = attributes["type"] ?? "raw";
  if (!isTagType(type))
    throw new StepFailure(`Unknown tag type "${type}" in "${line}": use one of ${tagTypes.join(", ")}`);
  requireAttributes(type, attributes, line);
  const priority = Number(attributes["priority"] ?? priorities[type]);
  if (!Number.isFinite(priority)) throw new StepFailure(`The priority in "${line}" must be a number`);
  return { type, attributes, priority };
}

function isTagType(type: string): type is TagType {
  return (tagTypes as readonly string[]).includes(type);
}

function requireAttributes(type: TagType, attributes: Readonly<Record<string, string>>, line: string): void {
  const needed = { semver: "pattern", pep440: "pattern", match: "pattern", ref: "event", raw: "value" } as const;
  const name = type in needed ? needed[type as keyof typeof needed] : undefined;
  if (name !== undefined && attributes[name] === undefined) {
    throw new StepFailure(`Missing "${name}" in the tag rule "${line}"`);
  }
  const event = attributes["event"];
  if (type === "ref" && event !== "branch" && event !== "tag" && event !== "pr") {
    throw new StepFailure(`Invalid event "${event}" in the tag rule "${line}": use branch, tag or pr`);
  }
  const format = attributes["format"];
  if (type === "sha" && format !== undefined && format !== "short" && format !== "long") {
    throw new StepFailure(`Invalid format "${format}" in the tag rule "${line}": use short or long`);
  }
}

/** Commas separate, but not inside `{{ }}` or double quotes. */
function splitFields(line: string): string[] {
  const fields: string[] = [];
  let field = "";
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < line.length; at++) {
    const char = line[at] ?? "";
    if (line.startsWith("{{", at)) depth++;
    if (line.startsWith("}}", at)) depth--;
    if (char === '"' && depth <= 0) quoted = !quoted;
    else if (char === "," && depth <= 0 && !quoted) {
      fields.push(field);
      field = "";
    } else field += char;
  }
  fields.push(field);
  return fields.map((one) => one.trim()).filter((one) => one !== "");
}

export interface Flavor {
  readonly latest: "auto" | "true" | "false";
  readonly prefix: string;
  readonly prefixLatest: boolean;
  readonly suffix: string;
  readonly suffixLatest: boolean;
}

export function parseFlavor(lines: readonly string[]): Flavor {
  const flavor: { -readonly [key in keyof Flavor]: Flavor[key] } = {
    latest: "auto",
    prefix: "",
    prefixLatest: false,
    suffix: "",
    suffixLatest: false,
  };
  for (const line of lines) {
    let last = "";
    for (const field of splitFields(line)) {
      const equals = field.indexOf("=");
      const key = field.slice(0, equals).trim().toLowerCase();
      const value = field.slice(equals + 1).trim();
      if (key === "latest" && (value === "auto" || value === "true" || value === "false")) flavor.latest = value;
      else if (key === "prefix") flavor.prefix = value;
      else if (key === "suffix") flavor.suffix = value;
      else if (key === "onlatest" && last === "prefix") flavor.prefixLatest = value === "true";
      else if (key === "onlatest" && last === "suffix") flavor.suffixLatest = value === "true";
      else
        throw new StepFailure(
          `Unknown flavor "${field}": use latest=auto|true|false, prefix=…, suffix=…, onlatest=true`,
        );
      last = key;
    }
  }
  return flavor;
}

/** `name=image,enable=true` a line, or plain names; names are lower case. Disabled ones are left out. */
export function parseImages(lines: readonly string[]): string[] {
  const plain = lines.length === 1 && !(lines[0] ?? "").includes("=");
  const images = plain ? splitFields(lines[0] ?? "").map((name) => ({ name, enable: true })) : lines.map(parseImage);
  return images.filter((image) => image.enable).map((image) => image.name.toLowerCase());
}

function parseImage(line: string): { name: string; enable: boolean } {
  const image = { name: "", enable: true };
  for (const field of splitFields(line)) {
    const equals = field.indexOf("=");
    const key = equals === -1 ? "name" : field.slice(0, equals).trim().toLowerCase();
    const value = field.slice(equals + 1).trim();
    if (key === "name") image.name = value;
    else if (key === "enable" && (value === "true" || value === "false")) image.enable = value === "true";
    else throw new StepFailure(`Unknown image attribute "${field}": use name=<image>,enable=true|false`);
  }
  if (image.name === "") throw new StepFailure(`Image name attribute empty in "${line}"`);
  return image;
}
