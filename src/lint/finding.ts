/** What the linter finds, and what a rule is. */
import type { Position, YamlNode } from "#workflows";
import type { LintDocument } from "./document.ts";

/** As SARIF has them: an error can be used by an attacker as it stands, a warning weakens, a note is a matter of taste. */
export type Severity = "error" | "warning" | "note";

export interface Finding {
  /** Name of the rule, e.g. `template-injection`. */
  readonly rule: string;
  readonly severity: Severity;
  /** What is wrong and what to do about it. */
  readonly message: string;
  /** Path in the repository. */
  readonly file: string;
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
}

/** A finding before it is known whose rule it is. */
export interface Found {
  readonly at: Position;
  readonly message: string;
  /** The rule's own unless said. */
  readonly severity?: Severity;
  /** Shown on request only: right, and noisy for most. */
  readonly pedantic?: boolean;
  /** A comment on any line of this silences it, rather than on its own line alone. */
  readonly about?: YamlNode;
}

export type DocumentKind = "workflow" | "action" | "dependabot" | "pre-commit";

export interface Rule {
  /** The name that `actionlint` or `zizmor` has for it where one of them has it, so that habits and comments carry over. */
  readonly name: string;
  /** One sentence, for lists and for SARIF. */
  readonly summary: string;
  readonly severity: Severity;
  readonly kinds: readonly DocumentKind[];
  readonly pedantic?: boolean;
  check(document: LintDocument, settings: RuleSettings): Iterable<Found>;
}

/** What a policy file says of one rule. */
export interface RuleSettings {
  /** For rules that let some names pass, such as `forbidden-uses`. */
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  /** For `dependabot-cooldown`. */
  readonly days?: number;
  /** For `unpinned-uses`: how firmly whose actions are to be named. */
  readonly pins?: readonly PinPolicy[];
  /** For `expression`: the variables there are, where that is known. */
  readonly variables?: readonly string[];
}

/** Of what `uses` names: anything, a tag or branch at least, or a commit. */
export type Pin = "any" | "ref-pin" | "hash-pin";

export interface PinPolicy {
  /** As `matchesUses` has it. */
  readonly pattern: string;
  readonly pin: Pin;
}

export const noSettings: RuleSettings = { allow: [], deny: [] };

/** Higher is worse. */
export function severityRank(severity: Severity): number {
  return { note: 0, warning: 1, error: 2 }[severity];
}
