/** Definitions of Argo CD's kinds. As in upstream's CRDs, status is no subresource: the CLI patches it on the main endpoint. */
import { isObject, type Problem } from "#lib";
import { defineKind } from "../meta/kind.ts";
import { appProjects, type AppProject } from "./app-project.ts";
import { applications, type Application } from "./application.ts";
import { invalid, required } from "./field-problem.ts";

export const applicationKind = defineKind<Application>({
  type: applications,
  singular: "application",
  shortNames: ["app", "apps"],
  status: false,
  generation: true,
  fields: ["spec", "operation", "status"],
  setDefaults(application) {
    // Upstream reads an empty project as this one; many real files leave it out.
    if (isObject(application.spec) && !application.spec.project) application.spec.project = "default";
  },
  validate: validateApplication,
  columns: [
    { name: "Sync Status", cell: ({ status }) => status?.sync?.status ?? "" },
    { name: "Health Status", cell: ({ status }) => status?.health?.status ?? "" },
    { name: "Revision", wide: true, cell: ({ status }) => status?.sync?.revision ?? "" },
    { name: "Project", wide: true, cell: ({ spec }) => spec.project ?? "" },
  ],
});

export const appProjectKind = defineKind<AppProject>({
  type: appProjects,
  singular: "appproject",
  shortNames: ["appproj", "appprojs"],
  status: false,
  generation: true,
  fields: ["spec", "status"],
  validate: ({ spec }) => (isObject(spec) ? listProblems("spec", spec, projectLists) : [required("spec", "")]),
});

const projectLists = ["sourceRepos", "destinations", "clusterResourceWhitelist", "namespaceResourceWhitelist"];

/** Shape only. Whether repository, project and destination exist is said by conditions, as it may change later. */
function validateApplication({ spec }: Application): readonly Problem[] {
  if (!isObject(spec)) return [required("spec", "")];
  const problems: Problem[] = [];
  if (!isObject(spec.destination)) problems.push(required("spec.destination", ""));
  if (spec.source === undefined && spec.sources === undefined && spec.sourceHydrator === undefined) {
    problems.push(required("spec.source", "name a repository and a path in it"));
  }
  if (spec.source !== undefined) {
    if (!isObject(spec.source)) return [...problems, invalid("spec.source", spec.source, "must be a mapping")];
    if (typeof spec.source.repoURL !== "string" || spec.source.repoURL === "") {
      problems.push(required("spec.source.repoURL", ""));
    }
    for (const field of ["path", "targetRevision", "chart"] as const) {
      const value: unknown = spec.source[field];
      if (value !== undefined && typeof value !== "string") {
        problems.push(invalid(`spec.source.${field}`, value, "must be a string: put it in quotes"));
      }
    }
  }
  return [
    ...problems,
    ...listProblems("spec", spec, ["sources", "ignoreDifferences"]),
    ...policyProblems(spec.syncPolicy),
  ];
}

function policyProblems(policy: unknown): Problem[] {
  if (policy === undefined || policy === null) return [];
  if (!isObject(policy)) return [invalid("spec.syncPolicy", policy, "must be a mapping")];
  const problems = listProblems("spec.syncPolicy", policy, ["syncOptions"]);
  const { automated, retry } = policy;
  if (automated !== undefined && automated !== null && !isObject(automated)) {
    problems.push(invalid("spec.syncPolicy.automated", automated, "must be a mapping, for example {}"));
  }
  if (isObject(retry) && retry["limit"] !== undefined && !Number.isInteger(retry["limit"])) {
    problems.push(invalid("spec.syncPolicy.retry.limit", retry["limit"], "must be a whole number"));
  }
  return problems;
}

function listProblems(path: string, holder: object, fields: readonly string[]): Problem[] {
  return fields.flatMap((field) => {
    const value = (holder as Record<string, unknown>)[field];
    if (value === undefined || value === null || Array.isArray(value)) return [];
    return [invalid(`${path}.${field}`, value, "must be a list")];
  });
}
