/** Coverage reports as tools write them: the format is seen from the content. Pure. */
import { isObject } from "#lib";
import { CoverageLines, type CoverageFormat } from "./coverage-report.ts";
import { xmlEvents } from "./xml-events.ts";

export interface ReadReport {
  readonly format: CoverageFormat;
  readonly lines: CoverageLines;
}

/** Undefined when it is none of the formats, or has nothing in it. */
export function readCoverage(text: string): ReadReport | undefined {
  const format = formatOf(text);
  if (format === undefined) return undefined;
  const lines = readers[format](text);
  return lines.files.size === 0 ? undefined : { format, lines };
}

function formatOf(text: string): CoverageFormat | undefined {
  const start = text.slice(0, 4096).trimStart();
  if (/^mode: (?:set|count|atomic)\b/.test(start)) return "go";
  if (/^(?:TN:|SF:)/m.test(start)) return "lcov";
  if (start.startsWith("{")) return "istanbul";
  if (!start.startsWith("<")) return undefined;
  if (/<!DOCTYPE report|<report\b/.test(start)) return "jacoco";
  if (!/<coverage\b/.test(start)) return undefined;
  return /<coverage\b[^>]*\b(?:generated|clover)=/.test(start) ? "clover" : "cobertura";
}

const readers: Readonly<Record<CoverageFormat, (text: string) => CoverageLines>> = {
  lcov: readLcov,
  cobertura: readCobertura,
  clover: readClover,
  jacoco: readJacoco,
  go: readGo,
  istanbul: readIstanbul,
};

function readLcov(text: string): CoverageLines {
  const lines = new CoverageLines();
  let file = "";
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith("SF:")) file = line.slice(3).trim();
    else if (line === "end_of_record") file = "";
    const [, number, hits] = /^DA:(\d+),(\d+)/.exec(line) ?? [];
    if (number !== undefined) lines.hit(file, Number(number), Number(hits));
  }
  return lines;
}

/** Its file names are relative to one of its sources. */
function readCobertura(text: string): CoverageLines {
  const lines = new CoverageLines();
  const sources: string[] = [];
  let file = "";
  let inSource = false;
  for (const event of xmlEvents(text)) {
    if (event.kind === "text") {
      if (inSource) sources.push(event.text);
    } else if (event.name === "source") inSource = event.kind === "open";
    else if (event.kind === "close") continue;
    else if (event.name === "class") file = inOnlySource(sources, event.attributes["filename"] ?? "");
    else if (event.name === "line") {
      lines.hit(file, Number(event.attributes["number"]), Number(event.attributes["hits"] ?? 0));
    }
  }
  return lines;
}

function inOnlySource(sources: readonly string[], file: string): string {
  const [only] = sources;
  return sources.length === 1 && only !== undefined && only !== "." && file !== "" && !file.startsWith("/")
    ? `${only.replace(/\/+$/, "")}/${file}`
    : file;
}

function readClover(text: string): CoverageLines {
  const lines = new CoverageLines();
  let file = "";
  for (const event of xmlEvents(text)) {
    if (event.kind !== "open") continue;
    const { attributes } = event;
    if (event.name === "file") file = attributes["path"] ?? attributes["name"] ?? "";
    // Lines of methods are no statements, and do not count.
    else if (event.name === "line" && attributes["type"] !== "method") {
      lines.hit(file, Number(attributes["num"]), Number(attributes["count"] ?? 0));
    }
  }
  return lines;
}

function readJacoco(text: string): CoverageLines {
  const lines = new CoverageLines();
  let folder = "";
  let file = "";
  for (const event of xmlEvents(text)) {
    if (event.kind !== "open") continue;
    const { attributes } = event;
    if (event.name === "package") folder = attributes["name"] ?? "";
    else if (event.name === "sourcefile")
      file = [folder, attributes["name"] ?? ""].filter((part) => part !== "").join("/");
    // `ci` counts the instructions of the line that have run.
    else if (event.name === "line") lines.hit(file, Number(attributes["nr"]), Number(attributes["ci"] ?? 0));
  }
  return lines;
}

/** `path/file.go:12.3,15.2 3 1`: from line to line, statements, hits. */
function readGo(text: string): CoverageLines {
  const lines = new CoverageLines();
  for (const line of text.split("\n")) {
    const [, file = "", first, last, hits] = /^(.+):(\d+)\.\d+,(\d+)\.\d+ \d+ (\d+)/.exec(line) ?? [];
    if (first === undefined || last === undefined || Number(last) - Number(first) > 100_000) continue;
    for (let number = Number(first); number <= Number(last); number++) lines.hit(file, number, Number(hits));
  }
  return lines;
}

/** `coverage-final.json`: a line has run when a statement that begins on it has. */
function readIstanbul(text: string): CoverageLines {
  const lines = new CoverageLines();
  let report: unknown;
  try {
    report = JSON.parse(text);
  } catch {
    return lines;
  }
  for (const [path, entry] of Object.entries(isObject(report) ? report : {})) {
    const { statementMap, s: hits } = isObject(entry) ? entry : {};
    if (!isObject(statementMap) || !isObject(hits)) continue;
    for (const [id, place] of Object.entries(statementMap)) {
      const start = isObject(place) && isObject(place["start"]) ? place["start"]["line"] : undefined;
      lines.hit(path, Number(start), Number(hits[id] ?? 0));
    }
  }
  return lines;
}
