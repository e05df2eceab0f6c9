/** Objects that run at a point of a sync instead of being part of the application's state. */
import type { AnyObject, SyncPhase } from "#api";
import { annotationOf, annotationWords } from "../object-key.ts";

const hookAnnotation = "argocd.argoproj.io/hook";
const policyAnnotation = "argocd.argoproj.io/hook-delete-policy";
const helmPhases: Readonly<Record<string, SyncPhase>> = {
  "pre-install": "PreSync",
  "pre-upgrade": "PreSync",
  "post-install": "PostSync",
  "post-upgrade": "PostSync",
};
const helmPolicies: Readonly<Record<string, DeletePolicy>> = {
  "before-hook-creation": "BeforeHookCreation",
  "hook-succeeded": "HookSucceeded",
  "hook-failed": "HookFailed",
};

type DeletePolicy = "BeforeHookCreation" | "HookSucceeded" | "HookFailed";

export interface Hook {
  /** Empty for objects that no sync touches (`Skip`, and the hooks of deletion). */
  readonly phases: readonly SyncPhase[];
  readonly policies: readonly DeletePolicy[];
}

/** Undefined for ordinary objects. Argo's own annotation makes Helm's count for nothing. */
export function hookOf(object: AnyObject): Hook | undefined {
  const own = annotationWords(object, hookAnnotation);
  if (own.length > 0) return { phases: own.filter(isPhase), policies: policiesOf(object) };
  const helm = annotationWords(object, "helm.sh/hook");
  if (helm.length === 0) return undefined;
  const phases = helm.map((word) => helmPhases[word]).filter((phase) => phase !== undefined);
  return { phases: [...new Set(phases)], policies: policiesOf(object) };
}

function policiesOf(object: AnyObject): readonly DeletePolicy[] {
  const own = annotationWords(object, policyAnnotation).filter(isPolicy);
  const helm = annotationWords(object, "helm.sh/hook-delete-policy").map((word) => helmPolicies[word]);
  const policies = [...own, ...helm.filter((policy) => policy !== undefined)];
  return policies.length === 0 ? ["BeforeHookCreation"] : policies;
}

function isPhase(word: string): word is SyncPhase {
  return word === "PreSync" || word === "Sync" || word === "PostSync" || word === "SyncFail";
}

function isPolicy(word: string): word is DeletePolicy {
  return word === "BeforeHookCreation" || word === "HookSucceeded" || word === "HookFailed";
}

/** The wave within its phase; Helm's weight counts where Argo's wave is not given. */
export function waveOf(object: AnyObject): number {
  const text =
    annotationOf(object, "argocd.argoproj.io/sync-wave") ?? annotationOf(object, "helm.sh/hook-weight") ?? "0";
  return /^-?\d+$/.test(text) ? Number(text) : 0;
}
