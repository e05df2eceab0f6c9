/** SARIF 2.1.0 as scanners write it, to findings: lenient where tools differ. Pure. */
import { isObject } from "#lib";
import { maxFindings, type CodeFinding, type FindingLevel } from "./reports.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Undefined when it is no SARIF at all. @param root folder that absolute paths are cut at */
export function readSarif(value: unknown, root = ""): readonly CodeFinding[] | undefined {
  if (!isObject(value) || !Array.isArray(value["runs"])) return undefined;
  return value["runs"]
    .filter(isObject)
    .flatMap((run) => readRun(run, root))
    .slice(0, maxFindings);
}

function readRun(run: Fields, root: string): CodeFinding[] {
  const driver = fields(fields(run["tool"])["driver"]);
  const rules = list(driver["rules"]);
  const byId = new Map(rules.map((rule) => [text(rule["id"]), rule]));
  const tool = text(driver["name"]) || "scanner";
  const results = list(run["results"]).filter((result) => list(result["suppressions"]).length === 0);
  return results.slice(0, maxFindings).map((result) => {
    const index = result["ruleIndex"];
    const id = text(result["ruleId"]) || text(fields(result["rule"])["id"]);
    const rule = byId.get(id) ?? (typeof index === "number" ? rules[index] : undefined) ?? {};
    return findingOf(result, rule, { tool, id, root });
  });
}

interface Origin {
  readonly tool: string;
  readonly id: string;
  readonly root: string;
}

function findingOf(result: Fields, rule: Fields, { tool, id, root }: Origin): CodeFinding {
  const physical = fields(fields(list(result["locations"])[0])["physicalLocation"]);
  const region = fields(physical["region"]);
  const path = pathOf(text(fields(physical["artifactLocation"])["uri"]), root);
  const line = region["startLine"];
  const column = region["startColumn"];
  const help = text(rule["helpUri"]);
  return {
    tool,
    rule: id || text(rule["id"]) || "unnamed",
    level: levelOf(result, rule),
    message: (messageOf(result, rule) || text(fields(rule["shortDescription"])["text"])).slice(0, 4_000),
    ...(path === "" ? {} : { path }),
    ...(typeof line === "number" && line > 0 ? { line } : {}),
    ...(typeof column === "number" && column > 0 ? { column } : {}),
    ...(/^https?:\/\//.test(help) ? { help } : {}),
  };
}

/** SARIF 3.27.10: the result's own level, else that of its rule, else a warning. */
function levelOf(result: Fields, rule: Fields): FindingLevel {
  const level = text(result["level"]) || text(fields(rule["defaultConfiguration"])["level"]) || "warning";
  return level === "error" || level === "warning" ? level : "note";
}

/** SARIF 3.11: a text, or the id of one of the rule's with places for arguments. */
function messageOf(result: Fields, rule: Fields): string {
  const message = fields(result["message"]);
  const own = text(message["text"]);
  const stored = fields(fields(rule["messageStrings"])[text(message["id"])]);
  const template = own || text(stored["text"]);
  const values = Array.isArray(message["arguments"]) ? message["arguments"] : [];
  return template.replaceAll(/\{(\d+)\}/g, (place, index: string) => text(values[Number(index)]) || place);
}

function pathOf(uri: string, root: string): string {
  const decoded = decodePath(uri.replace(/^file:\/\//, ""));
  const inside = root !== "" && decoded.startsWith(`${root}/`) ? decoded.slice(root.length + 1) : decoded;
  return inside.replace(/^\.\//, "");
}

function decodePath(uri: string): string {
  try {
    return decodeURIComponent(uri);
  } catch {
    return uri;
  }
}

function fields(value: unknown): Fields {
  return isObject(value) ? value : {};
}

function list(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : typeof value === "number" ? String(value) : "";
}
