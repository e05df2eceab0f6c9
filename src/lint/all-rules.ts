/** Every rule, in the order of lists. */
import type { Rule } from "./finding.ts";
import { workflowCall } from "./rules/calls.ts";
import { constantCondition, unsoundCondition, unsoundContains, unsoundTernary } from "./rules/conditions.ts";
import { expressionContexts } from "./rules/contexts.ts";
import {
  artipacked,
  githubApp,
  hardcodedCredentials,
  overprovisionedSecrets,
  secretsInherit,
  secretsInLogs,
  secretsOutsideEnv,
  unredactedSecrets,
} from "./rules/credentials.ts";
import { events, valueRange } from "./rules/events.ts";
import { unpinnedImages } from "./rules/images.ts";
import { deprecatedCommands, githubEnv, insecureCommands, templateInjection } from "./rules/injection.ts";
import { anonymousDefinition, envVar, glob, matrixValues, misfeature, runnerLabel, shellName } from "./rules/names.ts";
import { obfuscation } from "./rules/obfuscation.ts";
import { adhocPackages, useTrustedPublishing } from "./rules/packages.ts";
import { excessivePermissions, undocumentedPermissions } from "./rules/permissions.ts";
import {
  actionFormat,
  archivedUses,
  forbiddenUses,
  refVersionMismatch,
  selfRepository,
  superfluous,
  typosquatUses,
  unpinnedTools,
  unpinnedUses,
} from "./rules/references.ts";
import {
  botConditions,
  cachePoisoning,
  concurrencyLimits,
  dangerousTriggers,
  selfHostedRunner,
  untrustedCheckout,
} from "./rules/triggers.ts";
import { dependabotCooldown, dependabotExecution, insecureUrlScheme } from "./rules/updates.ts";

const rules: readonly Rule[] = [
  actionFormat,
  adhocPackages,
  anonymousDefinition,
  archivedUses,
  artipacked,
  botConditions,
  cachePoisoning,
  concurrencyLimits,
  constantCondition,
  dangerousTriggers,
  dependabotCooldown,
  dependabotExecution,
  deprecatedCommands,
  envVar,
  events,
  excessivePermissions,
  expressionContexts,
  forbiddenUses,
  githubApp,
  githubEnv,
  glob,
  hardcodedCredentials,
  insecureCommands,
  insecureUrlScheme,
  matrixValues,
  misfeature,
  obfuscation,
  overprovisionedSecrets,
  refVersionMismatch,
  runnerLabel,
  secretsInherit,
  secretsInLogs,
  secretsOutsideEnv,
  selfHostedRunner,
  selfRepository,
  shellName,
  superfluous,
  templateInjection,
  typosquatUses,
  undocumentedPermissions,
  unpinnedImages,
  unpinnedTools,
  unpinnedUses,
  unredactedSecrets,
  unsoundCondition,
  unsoundContains,
  unsoundTernary,
  untrustedCheckout,
  useTrustedPublishing,
  valueRange,
  workflowCall,
];

export const allRules: readonly Rule[] = rules;

/** What the reading of a file itself finds: YAML, keys, types, expressions, graph. */
export const syntaxRule = { name: "syntax", summary: "A file that cannot run as it is written" } as const;

/** What `shellcheck` finds, where it is installed and asked. */
export const shellcheckRule = {
  name: "shellcheck",
  summary: 'What the program "shellcheck" says of scripts for bash and sh, where it is installed',
  severity: "warning",
} as const;

/** What `pyflakes` finds, where it is installed and asked. */
export const pyflakesRule = {
  name: "pyflakes",
  summary: 'What the program "pyflakes" says of scripts in Python, where it is installed',
  severity: "warning",
} as const;

export function isRuleName(name: string): boolean {
  if (name === shellcheckRule.name || name === pyflakesRule.name) return true;
  return name === syntaxRule.name || rules.some((rule) => rule.name === name);
}
