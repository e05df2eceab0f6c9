/** What becomes of a finding: the policy and comments in the file may silence it, the policy may weigh it otherwise. Pure. */
import { isSilenced } from "./config/actionlint.ts";
import { commentOn, type LintDocument } from "./document.ts";
import type { Finding, Found } from "./finding.ts";
import type { LintPolicy } from "./policy.ts";

/** The finding as the policy has it; none when the policy does not want it. */
export function applied(finding: Finding, policy: LintPolicy): readonly Finding[] {
  if (isSilenced(finding, policy.silences)) return [];
  const rule = policy.rules.get(finding.rule);
  if (rule === undefined) return [finding];
  if (rule.severity === "off") return [];
  const { file, line, column } = finding;
  const name = file.slice(file.lastIndexOf("/") + 1);
  const names = new Set([file, name].flatMap((path) => [path, `${path}:${line}`, `${path}:${line}:${column}`]));
  if (rule.ignore.some((ignored) => names.has(ignored))) return [];
  return [rule.severity === undefined ? finding : { ...finding, severity: rule.severity }];
}

/** Whether a comment where it belongs says `# tidegate: ignore[rule, …]`, or zizmor's own word for it. */
export function isIgnored(document: LintDocument, rule: string, found: Pick<Found, "at" | "about">): boolean {
  for (const line of commentLines(document, found)) {
    const match = /\b(?:tidegate|zizmor):\s*ignore(?:\[([^\]]*)\])?/.exec(commentOn(document, line) ?? "");
    if (match === null) continue;
    const names = match[1];
    if (names === undefined || names.split(",").some((name) => name.trim() === rule)) return true;
  }
  return false;
}

/** Its own, those of what it is about, and where a scalar of several lines begins: no comment fits inside of one. */
function commentLines(document: LintDocument, { at, about }: Pick<Found, "at" | "about">): ReadonlySet<number> {
  const lines = new Set([at.line]);
  for (let line = about?.start.line ?? 1; line <= (about?.end.line ?? 0); line++) lines.add(line);
  for (const [first, last] of document.longScalars) if (first < at.line && at.line <= last) lines.add(first);
  return lines;
}

export function inOrder(a: Finding, b: Finding): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line || a.column - b.column || (a.rule < b.rule ? -1 : a.rule > b.rule ? 1 : 0);
}
