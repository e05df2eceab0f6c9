/** What is dangerous or mistaken in workflow files, without running them. Pure, but for asking `shellcheck`, and for a thread for large files. */
export { allRules, pyflakesRule, shellcheckRule } from "./all-rules.ts";
export { severityRank, type Finding, type Severity } from "./finding.ts";
export { inOrder } from "./judgement.ts";
export { lintInTime } from "./lint-in-time.ts";
export { blockingFindings, isLintedPath, lintFiles, type LintFile } from "./lint.ts";
export { defaultPolicy, policyPath, readPolicy, type LintPolicy } from "./policy.ts";
export { policyPaths, readPolicies } from "./read-policy.ts";
export { lintScripts, type ScriptOptions } from "./scripts/lint-scripts.ts";
export { toSarif } from "./sarif.ts";
