/** GITHUB_TOKEN: a token that lives as long as its job and reaches its repository only. */
import { jobName } from "#api";
import { AuthError, type Tokens } from "#auth";
import type { Ids } from "#lib";
import type { JobTokenPort, JobTokenRequest } from "#workflows";

/** The longest a job may run (6 h) and some: a token that nobody revoked ends by itself. */
export const jobTokenLifetimeMs = 7 * 3_600_000;

export function jobTokens(tokens: Tokens, ids: Ids): JobTokenPort {
  return {
    async mint(job) {
      const secret = `tg_job_${ids.secret()}`;
      // The name ties what the job pushes to its run; see the chronicle.
      const options = { name: jobName(job.runId), scopes: scopesOf(job), lifetimeMs: jobTokenLifetimeMs };
      await tokens.install(tokenId(job.jobId), secret, options);
      return secret;
    },
    async revoke(jobId) {
      try {
        await tokens.revoke(tokenId(jobId));
      } catch (error) {
        if (!(error instanceof AuthError)) throw error;
      }
    },
  };
}

function tokenId(jobId: string): string {
  return `job-${jobId}`;
}

/** What the job was granted, as far as there are areas for it here. */
function scopesOf({ permissions, repository }: Pick<JobTokenRequest, "repository" | "permissions">): string[] {
  const scope = (area: string, key: string): string[] => {
    const verb = permissions[key] ?? "none";
    return verb === "none" ? [] : [`${area}:${verb}:${repository}`];
  };
  const rest = ["actions", "checks", "deployments", "issues", "pull-requests", "statuses"] as const;
  return [
    ...scope("git", "contents"),
    ...scope("registry", "packages"),
    ...rest.flatMap((area) => scope(area, area)),
    `api:read:${repository}`,
  ];
}
