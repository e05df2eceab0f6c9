/** Rules of protected branches: what a push may not do. Pure. */
import picomatch from "picomatch";
import { branchOf } from "./names.ts";
import { changeKind, type RefCommand } from "./push-head.ts";
import type { RefRefusal } from "./push-report.ts";

export interface BranchProtection {
  /** A branch name or a glob over it: `main`, `release/*`, `**`. */
  readonly branch: string;
  readonly allowForcePush: boolean;
  readonly allowDeletions: boolean;
  /** Refuse every direct push; only the system (a merge, an environment commit) moves the branch. */
  readonly requirePullRequest: boolean;
  /** Names of checks that have to pass before a pull request is merged. */
  readonly requiredChecks?: readonly string[];
}

const writable = ["refs/heads/", "refs/tags/", "refs/notes/"];

/** What can be refused from the commands alone, before any object arrives. */
export function refuseCommands(
  commands: readonly RefCommand[],
  protections: readonly BranchProtection[],
): readonly RefRefusal[] {
  return commands.flatMap((command) => {
    const reason = commandReason(command, protections);
    return reason === undefined ? [] : [{ ref: command.ref, reason }];
  });
}

/** What needs the objects: `forced` are the refs whose new commit does not descend from the old one. */
export function refuseForced(
  forced: readonly string[],
  protections: readonly BranchProtection[],
): readonly RefRefusal[] {
  return forced.flatMap((ref) => {
    const rule = rulesFor(ref, protections).find((rule) => !rule.allowForcePush);
    if (rule === undefined) return [];
    const reason = `protected branch: rule "${rule.branch}" forbids force pushes; pull and rebase, then push again`;
    return [{ ref, reason }];
  });
}

function commandReason(command: RefCommand, protections: readonly BranchProtection[]): string | undefined {
  if (!writable.some((prefix) => command.ref.startsWith(prefix))) {
    return `reserved: push to ${writable.map((prefix) => `${prefix}*`).join(", ")} only`;
  }
  for (const rule of rulesFor(command.ref, protections)) {
    const kind = changeKind(command);
    if (kind === "delete" && !rule.allowDeletions) {
      return `protected branch: rule "${rule.branch}" forbids deletion; change the rule first if it must go`;
    }
    if (rule.requirePullRequest) {
      return `protected branch: rule "${rule.branch}" requires a pull request; push to another branch and open one`;
    }
  }
  return undefined;
}

/** Whether a rule is about the branch. */
export function isProtectedBranch(ref: string, protections: readonly BranchProtection[]): boolean {
  return rulesFor(ref, protections).length > 0;
}

/** The rules that a ref falls under. */
export function rulesFor(ref: string, protections: readonly BranchProtection[]): readonly BranchProtection[] {
  const branch = branchOf(ref);
  if (branch === undefined) return [];
  return protections.filter((rule) => rule.branch === branch || picomatch.isMatch(branch, rule.branch, { dot: true }));
}
