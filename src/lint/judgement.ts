/** What becomes of a finding: the policy and comments in the file may silence it, the policy may weigh it otherwise. Pure. */
import { commentOn, type LintDocument } from "./document.ts";
import type { Finding } from "./finding.ts";
import type { LintPolicy } from "./policy.ts";

/** The finding as the policy has it; none when the policy does not want it. */
export function applied(finding: Finding, policy: LintPolicy): readonly Finding[] {
  const rule = policy.rules.get(finding.rule);
  if (rule === undefined) return [finding];
  if (rule.severity === "off") return [];
  const name = finding.file.slice(finding.file.lastIndexOf("/") + 1);
  const names = new Set([finding.file, name].flatMap((path) => [path, `${path}:${finding.line}`]));
  if (rule.ignore.some((ignored) => names.has(ignored))) return [];
  return [rule.severity === undefined ? finding : { ...finding, severity: rule.severity }];
}

/** `# tidegate: ignore[rule, …]` on the line, or zizmor's own word for it. */
export function isIgnored(document: LintDocument, finding: Finding): boolean {
  const comment = commentOn(document, finding.line) ?? "";
  const match = /\b(?:tidegate|zizmor):\s*ignore(?:\[([^\]]*)\])?/.exec(comment);
  if (match === null) return false;
  const names = match[1];
  return names === undefined || names.split(",").some((name) => name.trim() === finding.rule);
}

export function inOrder(a: Finding, b: Finding): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line || a.column - b.column || (a.rule < b.rule ? -1 : a.rule > b.rule ? 1 : 0);
}
