/** `syncOptions` and the `sync-options` annotation: words compared exactly, as upstream does (`CreateNamespace=True` is none). */
import type { AnyObject, Application, SyncOperation } from "#api";
import type { PropagationPolicy } from "#kube";
import { annotationWords } from "../object-key.ts";

const annotation = "argocd.argoproj.io/sync-options";

/** What each word does is said where it is used; a word that is not here has no effect and is reported. */
const known: ReadonlySet<string> = new Set([
  "CreateNamespace=true",
  "CreateNamespace=false",
  "PruneLast=true",
  "PruneLast=false",
  "ApplyOutOfSyncOnly=true",
  "ApplyOutOfSyncOnly=false",
  "PrunePropagationPolicy=foreground",
  "PrunePropagationPolicy=background",
  "PrunePropagationPolicy=orphan",
  "Replace=true",
  "Replace=false",
  "Force=true",
  "Force=false",
  "Prune=true",
  "Prune=false",
  "Delete=true",
  "Delete=false",
  "SkipDryRunOnMissingResource=true",
  "SkipDryRunOnMissingResource=false",
  "FailOnSharedResource=true",
  "FailOnSharedResource=false",
  "RespectIgnoreDifferences=true",
  "RespectIgnoreDifferences=false",
  // The API server validates always; the client-side schema check that this one skips does not exist here.
  "Validate=true",
  "Validate=false",
  "ServerSideApply=false",
]);

export type SyncOptions = ReadonlySet<string>;

/** The options of an operation, or those of the spec when it names none. */
export function syncOptionsOf(application: Application, sync?: SyncOperation): SyncOptions {
  return new Set(sync?.syncOptions ?? application.spec.syncPolicy?.syncOptions ?? []);
}

export function unknownOptions(options: SyncOptions): string[] {
  return [...options].filter((option) => !known.has(option));
}

/** `Prune=false` on the object wins over `Prune=true` of the application, and the other way round. */
export function hasOption(options: SyncOptions, object: AnyObject | undefined, name: string, value = "true"): boolean {
  const words = annotationWords(object, annotation);
  const own = words.findLast((word) => word.startsWith(`${name}=`));
  return own === undefined ? options.has(`${name}=${value}`) : own === `${name}=${value}`;
}

export function propagationPolicy(options: SyncOptions): PropagationPolicy {
  if (options.has("PrunePropagationPolicy=background")) return "Background";
  return options.has("PrunePropagationPolicy=orphan") ? "Orphan" : "Foreground";
}
