/** What is dangerous or mistaken in workflow files, without running them. Pure: files in, findings out. */
export { allRules } from "./all-rules.ts";
export { severityRank, type Finding, type Severity } from "./finding.ts";
export { blockingFindings, isLintedPath, lintFiles, type LintFile } from "./lint.ts";
export { defaultPolicy, policyPath, readPolicy, type LintPolicy } from "./policy.ts";
export { toSarif } from "./sarif.ts";
