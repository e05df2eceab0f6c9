/**
 * What a job's token may do: the one place where it is computed. A job asks by its own `permissions`, else by those of
 * its workflow, else it has the default; what a caller granted a called workflow is never exceeded.
 */
import type { Job, PermissionLevel, Permissions, Workflow } from "../parse/model.ts";

type Levels = readonly PermissionLevel[];
const any: Levels = ["none", "read", "write"];

/** Every area with the levels it has. */
const permissionAreas: Readonly<Record<string, Levels>> = {
  actions: any,
  "artifact-metadata": any,
  attestations: any,
  checks: any,
  "code-quality": any,
  contents: any,
  "copilot-requests": ["none", "write"],
  deployments: any,
  discussions: any,
  drives: any,
  "id-token": ["none", "write"],
  issues: any,
  models: ["none", "read"],
  packages: any,
  pages: any,
  "pull-requests": any,
  "repository-projects": any,
  "security-events": any,
  statuses: any,
  "vulnerability-alerts": ["none", "read"],
};

/** A level for every area. */
export type Granted = Readonly<Record<string, PermissionLevel>>;

const rank: Readonly<Record<PermissionLevel, number>> = { none: 0, read: 1, write: 2 };

function everywhere(level: PermissionLevel): Granted {
  const entries = Object.entries(permissionAreas).map(([area, levels]) => [
    area,
    levels.findLast((known) => rank[known] <= rank[level]) ?? "none",
  ]);
  return Object.fromEntries(entries) as Granted;
}

/** What the words of a file mean: areas it does not name are closed. */
export function grantedBy(permissions: Permissions): Granted {
  if (permissions === "read-all") return everywhere("read");
  if (permissions === "write-all") return everywhere("write");
  return { ...everywhere("none"), ...permissions };
}

/** Of a job that asks for nothing: all but tokens that others trust. */
export const openDefault: Granted = { ...everywhere("write"), "id-token": "none" };

/** A repository whose default is closed; see the settings of GitHub. */
export const limitedDefault: Granted = { ...everywhere("none"), contents: "read", packages: "read" };

/** What may be asked of whoever says nothing: with the open default more than it gives by itself. */
function most(policy: Granted): Granted {
  return policy === openDefault ? everywhere("write") : policy;
}

/** One level of calls: a job, and the workflow it is written in. */
export interface CallLevel {
  readonly workflow: Pick<Workflow, "permissions" | "openIdConnect">;
  readonly job: Pick<Job, "permissions" | "openIdConnect">;
}

function asked({ workflow, job }: CallLevel): Permissions | undefined {
  return job.permissions ?? workflow.permissions;
}

/**
 * @param levels from the workflow of the run down to the job
 * @param readOnly the code of the run is not trusted: it may only read, and gets no tokens that others trust
 */
export function jobPermissions(levels: readonly CallLevel[], readOnly = false, policy = openDefault): Granted {
  let granted: Granted = policy;
  let ceiling = most(policy);
  for (const level of levels) {
    const wanted = asked(level);
    if (wanted !== undefined) {
      granted = lower(grantedBy(wanted), ceiling);
      ceiling = granted;
    }
    if ((level.job.openIdConnect ?? level.workflow.openIdConnect) === true) {
      granted = lower(
        { ...granted, "id-token": "write" },
        { ...ceiling, "id-token": most(policy)["id-token"] ?? "none" },
      );
    }
  }
  return readOnly ? { ...lower(granted, everywhere("read")), "id-token": "none" } : granted;
}

function lower(wanted: Granted, ceiling: Granted): Granted {
  const entries = Object.keys(permissionAreas).map((area) => {
    const [a, b] = [wanted[area] ?? "none", ceiling[area] ?? "none"];
    return [area, rank[a] <= rank[b] ? a : b];
  });
  return Object.fromEntries(entries) as Granted;
}

/** What a called workflow asks for beyond what it is granted; undefined when nothing. */
export function excess(
  wanted: Permissions,
  granted: Permissions | undefined,
  policy = openDefault,
): { readonly requested: string; readonly allowed: string } | undefined {
  const ceiling = granted === undefined ? most(policy) : grantedBy(granted);
  const levels = grantedBy(wanted);
  const areas = Object.keys(permissionAreas).filter(
    (area) => rank[levels[area] ?? "none"] > rank[ceiling[area] ?? "none"],
  );
  if (areas.length === 0) return undefined;
  const list = (from: Granted): string => areas.map((area) => `${area}: ${from[area] ?? "none"}`).join(", ");
  return { requested: list(levels), allowed: list(ceiling) };
}
