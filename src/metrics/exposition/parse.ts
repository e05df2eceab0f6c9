/** Reads the Prometheus text exposition format (0.0.4), which is also the common part of OpenMetrics. */
import type { Problem } from "#lib";
import type { Labels } from "../labels.ts";

export interface ExposedSample {
  readonly labels: Labels;
  readonly value: number;
  /** Milliseconds since 1970, when the line had one. */
  readonly timestampMs?: number;
}

/** Beyond these a target is refused rather than stored. */
const maxSamples = 200_000;
const maxLineLength = 64 * 1024;
const maxLabels = 64;

/** All samples that could be read; a line that could not is a problem and costs only itself. */
export function parseExposition(text: string): { samples: ExposedSample[]; problems: Problem[] } {
  const samples: ExposedSample[] = [];
  const problems: Problem[] = [];
  let number = 0;
  for (const line of text.split("\n")) {
    number += 1;
    const trimmed = line.trim();
    if (trimmed === "" || trimmed.startsWith("#")) continue;
    const sample = samples.length < maxSamples && line.length <= maxLineLength ? parseLine(trimmed) : undefined;
    if (sample !== undefined) samples.push(sample);
    else if (problems.length < 10) {
      problems.push({ path: "", message: "Not a sample", at: { file: "metrics", line: number } });
    }
  }
  return { samples, problems };
}

function parseLine(line: string): ExposedSample | undefined {
  const name = /^[a-zA-Z_:][\w:]*/.exec(line)?.[0];
  if (name === undefined) return undefined;
  let rest = line.slice(name.length);
  const labels: Record<string, string> = { __name__: name };
  if (rest.startsWith("{")) {
    const end = parseLabels(rest, labels);
    if (end === undefined) return undefined;
    rest = rest.slice(end);
  }
  const [valueText = "", timeText, ...extra] = rest.trim().split(/\s+/);
  // OpenMetrics puts exemplars after a "#"; they are not kept.
  if (extra.length > 0 && !extra[0]?.startsWith("#") && timeText !== "#") return undefined;
  const value = parseNumber(valueText);
  if (value === undefined) return undefined;
  if (timeText === undefined || timeText.startsWith("#")) return { labels, value };
  const timestampMs = parseNumber(timeText);
  return timestampMs === undefined ? undefined : { labels, value, timestampMs };
}

const labelPattern = /\s*([a-zA-Z_]\w*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(,|(?=\}))/y;

/** Fills `labels` from `{a="b",…}` and returns the index after the brace. */
function parseLabels(text: string, labels: Record<string, string>): number | undefined {
  let at = 1;
  for (let count = 0; count <= maxLabels; count++) {
    if (/^\s*\}/.test(text.slice(at, at + 16))) return text.indexOf("}", at) + 1;
    labelPattern.lastIndex = at;
    const match = labelPattern.exec(text);
    if (match === null) return undefined;
    labels[match[1] ?? ""] = unescape(match[2] ?? "");
    at = labelPattern.lastIndex;
  }
  return undefined;
}

function unescape(text: string): string {
  return text.replaceAll(/\\(.)/g, (_all, char: string) => (char === "n" ? "\n" : char));
}

function parseNumber(text: string): number | undefined {
  switch (text) {
    case "+Inf":
    case "Inf":
      return Number.POSITIVE_INFINITY;
    case "-Inf":
      return Number.NEGATIVE_INFINITY;
    case "NaN":
      return Number.NaN;
    default:
      return /^[+-]?(?:\d|\.\d)/.test(text) && !Number.isNaN(Number(text)) ? Number(text) : undefined;
  }
}
