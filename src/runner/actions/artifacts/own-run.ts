/** Artifacts of the run that the job belongs to. */
import { decodeJwt } from "jose";
import { isObject } from "#lib";
import { StepFailure } from "../../errors.ts";
import type { ActionCall } from "../builtin-action.ts";
import { JobServices } from "../services/job-services.ts";
import { newestOfEach, type ArtifactFacts, type ArtifactSource } from "./artifact-source.ts";

export function artifactServices(call: ActionCall): JobServices {
  const services = JobServices.of(call);
  if (services === undefined) {
    throw new StepFailure("There is nowhere to keep artifacts: the job runs without a server");
  }
  return services;
}

interface BackendIds {
  readonly workflow_run_backend_id: string;
  readonly workflow_job_run_backend_id: string;
}

/** The names of run and job at the service, which the token says. */
export function backendIds(call: ActionCall): BackendIds {
  const { scp } = decodeJwt(call.parts.assignment.services.runtimeToken ?? "");
  const scope = String(scp)
    .split(" ")
    .find((one) => one.startsWith("Actions.Results:"));
  const [, run, job] = scope?.split(":") ?? [];
  if (run === undefined || job === undefined) {
    throw new StepFailure("Failed to get backend IDs: The provided JWT token is invalid and/or missing claims");
  }
  return { workflow_run_backend_id: run, workflow_job_run_backend_id: job };
}

export function ownRun(call: ActionCall): ArtifactSource {
  const services = artifactServices(call);
  const ids = backendIds(call);
  const query = async (filter: object): Promise<readonly ArtifactFacts[]> => {
    const answer = await services.twirp("ArtifactService", "ListArtifacts", { ...ids, ...filter });
    const { artifacts } = answer;
    return newestOfEach(Array.isArray(artifacts) ? artifacts.filter(isObject).map(factsOf) : []);
  };
  return {
    list: async () => await query({}),
    find: async (name) => (await query({ name_filter: name }))[0],
    async locate({ name }) {
      const answer = await services.twirp("ArtifactService", "GetSignedArtifactURL", { ...ids, name });
      return { url: String(answer["signed_url"]) };
    },
  };
}

function factsOf(artifact: Readonly<Record<string, unknown>>): ArtifactFacts {
  const { database_id: id, name, size, digest } = artifact;
  return {
    id: Number(id),
    name: String(name),
    size: Number(size),
    digest: typeof digest === "string" ? digest : undefined,
  };
}
