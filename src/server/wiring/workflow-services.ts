/** Where jobs reach the services of this server, and the tokens by which each job may use them. */
import { type ArtifactService, cacheScopes } from "#artifacts";
import { idTokenPath, type JobIdentities } from "#auth";
import type { ServicesPort, ServicesRequest } from "#workflows";
import { type Addresses, controlUrl, namedServerUrl } from "./addresses.ts";
import { jobTokenLifetimeMs } from "./job-tokens.ts";

export interface WorkflowServicesOptions {
  readonly addresses: Addresses;
  readonly artifacts: ArtifactService;
  readonly identities: JobIdentities;
}

export function workflowServices({ addresses, artifacts, identities }: WorkflowServicesOptions): ServicesPort {
  const base = {
    get serverUrl() {
      return namedServerUrl(addresses);
    },
    get apiUrl() {
      return `${controlUrl(addresses)}/api/v3`;
    },
    get graphqlUrl() {
      return `${controlUrl(addresses)}/api/graphql`;
    },
  };
  return {
    base,
    async forJob(job) {
      const control = controlUrl(addresses);
      const { repository, runId, jobId, attempt } = job;
      const grant = { repository, runId, jobId, attempt, scopes: scopesOf(job) };
      return {
        serverUrl: base.serverUrl,
        apiUrl: base.apiUrl,
        graphqlUrl: base.graphqlUrl,
        internalServerUrl: control,
        // With the slash: clients put the paths of the cache service right behind it.
        resultsUrl: `${control}/`,
        cacheUrl: `${control}/`,
        runtimeToken: await artifacts.tokens.sign(grant, jobTokenLifetimeMs),
        ...(job.permissions["id-token"] === "write" ? await identity(identities, job, control) : {}),
      };
    },
  };
}

function scopesOf(job: ServicesRequest): ReturnType<typeof cacheScopes> {
  const { github, defaultBranch, readOnly } = job;
  const text = (name: string): string => (typeof github[name] === "string" ? github[name] : "");
  return cacheScopes({ ref: text("ref"), baseRef: text("base_ref"), defaultBranch, readOnly });
}

async function identity(
  identities: JobIdentities,
  job: ServicesRequest,
  control: string,
): Promise<{ idTokenRequestUrl: string; idTokenRequestToken: string }> {
  const { jobId, github, environment, jobWorkflowRef, jobWorkflowSha } = job;
  const claims = {
    jobId,
    github,
    jobWorkflowRef,
    jobWorkflowSha,
    ...(environment === undefined ? {} : { environment }),
  };
  return {
    idTokenRequestUrl: `${control}${idTokenPath}`,
    idTokenRequestToken: await identities.requestToken(claims, jobTokenLifetimeMs),
  };
}
