/** What of an Application's spec this version cannot do, said before anything is done. Pure. */
import type { Application, ApplicationSource } from "#api";
import { isInCluster, inClusterServer } from "../project/check-project.ts";

const kustomizeFields: ReadonlySet<string> = new Set([
  "namePrefix",
  "nameSuffix",
  "namespace",
  "images",
  "replicas",
  "commonLabels",
  "commonAnnotations",
  "patches",
  "labelWithoutSelector",
  "labelIncludeTemplates",
]);

/** Sentences for `InvalidSpecError`. */
export function specRefusals({ spec }: Application): string[] {
  const refusals: string[] = [];
  const { source, sources, destination } = spec;
  if (spec.sourceHydrator !== undefined) refusals.push("spec.sourceHydrator is not supported: use spec.source");
  if ((sources ?? []).length > 0)
    refusals.push("spec.sources is not supported: use one spec.source, and one Application for each further source");
  else if (source === undefined) refusals.push("spec.source is missing: name a repository and a path in it");
  else refusals.push(...sourceRefusals(source));
  if (destination.server !== undefined && destination.name !== undefined) {
    refusals.push("spec.destination has both server and name: keep one of them");
  } else if (!isInCluster(destination)) {
    const found = destination.server ?? destination.name;
    const what = found === undefined ? "names no cluster" : `names "${found}"`;
    refusals.push(`spec.destination ${what}: only this cluster can be reached; set server to "${inClusterServer}"`);
  }
  for (const [index, rule] of (spec.ignoreDifferences ?? []).entries()) {
    if ((rule.jqPathExpressions ?? []).length > 0 || (rule.managedFieldsManagers ?? []).length > 0) {
      refusals.push(`spec.ignoreDifferences[${index}] is not supported: name the fields in jsonPointers`);
    }
  }
  return refusals;
}

function sourceRefusals(source: ApplicationSource): string[] {
  const refusals: string[] = [];
  if (source.chart !== undefined || source.helm !== undefined) {
    refusals.push(
      'Helm sources are not supported: commit the output of "helm template" and point spec.source.path at it',
    );
  } else if (source.path === undefined) refusals.push('spec.source.path is missing: name a folder ("." is the root)');
  if (source.plugin !== undefined) refusals.push("spec.source.plugin is not supported: commit what the plugin makes");
  if (source.directory?.jsonnet !== undefined && Object.keys(source.directory.jsonnet).length > 0) {
    refusals.push("spec.source.directory.jsonnet is not supported: commit what jsonnet makes");
  }
  for (const field of Object.keys(source.kustomize ?? {})) {
    if (!kustomizeFields.has(field)) {
      refusals.push(`spec.source.kustomize.${field} is not supported: say it in kustomization.yaml`);
    }
  }
  return refusals;
}
