/** Findings as SARIF 2.1.0, which code hosts and editors read. */
import { allRules, pyflakesRule, shellcheckRule, syntaxRule } from "./all-rules.ts";
import type { Finding } from "./finding.ts";

interface SarifLog {
  readonly $schema: string;
  readonly version: "2.1.0";
  readonly runs: readonly unknown[];
}

/** `version` is of this program. */
export function toSarif(findings: readonly Finding[], version: string): SarifLog {
  const used = new Set(findings.map((finding) => finding.rule));
  const rules = [syntaxRule, ...allRules, shellcheckRule, pyflakesRule].filter((rule) => used.has(rule.name));
  const index = new Map(rules.map((rule, at) => [rule.name, at]));
  const driver = {
    name: "tidegate",
    semanticVersion: version,
    rules: rules.map((rule) => ({ id: rule.name, shortDescription: { text: rule.summary } })),
  };
  const results = findings.map((finding) => ({
    ruleId: finding.rule,
    ruleIndex: index.get(finding.rule),
    level: finding.severity,
    message: { text: finding.message },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: uriOf(finding.file), uriBaseId: "%SRCROOT%" },
          region: { startLine: finding.line, startColumn: finding.column },
        },
      },
    ],
  }));
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [{ tool: { driver }, columnKind: "utf16CodeUnits", results }],
  };
}

/** A reference, in which blanks and what is not ASCII are escaped: SARIF 2.1.0, 3.4.3. */
function uriOf(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}
