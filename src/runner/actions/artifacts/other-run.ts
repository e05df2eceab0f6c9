/** Artifacts of another run, by GitHub's REST API and a token that may read there. */
import { isObject, withDeadline } from "#lib";
import { StepFailure } from "../../errors.ts";
import type { ActionCall } from "../builtin-action.ts";
import { newestOfEach, type ArtifactFacts, type ArtifactSource } from "./artifact-source.ts";

export interface OtherRun {
  /** `owner/repository` */
  readonly repository: string;
  readonly runId: string;
  readonly token: string;
}

const perPage = 100;
const maxPages = 10;
const answerMs = 60_000;

export function otherRun(call: ActionCall, { repository, runId, token }: OtherRun): ArtifactSource {
  const { apiUrl } = call.parts.assignment.services;
  const base = `${apiUrl}/repos/${repository}/actions`;
  const ask = async (path: string, redirect: "follow" | "manual"): Promise<Response> =>
    await fetch(`${base}${path}`, {
      headers: { authorization: `token ${token}`, accept: "application/vnd.github.v3+json" },
      redirect,
      signal: withDeadline(call.step.stop, answerMs),
    });
  const page = async (query: string): Promise<{ total: number; artifacts: readonly ArtifactFacts[] }> => {
    const response = await ask(`/runs/${encodeURIComponent(runId)}/artifacts?${query}`, "follow");
    if (!response.ok) throw await refusal(response, `list the artifacts of run ${runId} of "${repository}"`);
    const body: unknown = await response.json();
    const items = isObject(body) && Array.isArray(body["artifacts"]) ? body["artifacts"].filter(isObject) : [];
    return { total: isObject(body) ? Number(body["total_count"] ?? 0) : 0, artifacts: items.map(factsOf) };
  };
  return {
    async list() {
      call.log(`Fetching artifact list for workflow run ${runId} in repository ${repository}`);
      const all: ArtifactFacts[] = [];
      for (let number = 1; number <= maxPages; number++) {
        const { total, artifacts } = await page(`per_page=${perPage}&page=${number}`);
        all.push(...artifacts);
        if (artifacts.length === 0 || all.length >= total) return newestOfEach(all);
      }
      call.warn(`Run ${runId} has more artifacts than the ${perPage * maxPages} that are looked at`);
      return newestOfEach(all);
    },
    async find(name) {
      const { artifacts } = await page(`name=${encodeURIComponent(name)}`);
      return newestOfEach(artifacts).find((artifact) => artifact.name === name);
    },
    async locate({ id }) {
      call.log(`Downloading artifact '${id}' from '${repository}'`);
      const response = await ask(`/artifacts/${id}/zip`, "manual");
      const location = response.headers.get("location");
      if (response.status === 302 && location !== null) return { url: new URL(location, base).href };
      throw response.ok
        ? new StepFailure(`Unable to download artifact. Unexpected status: ${response.status}`)
        : await refusal(response, `download artifact ${id} of "${repository}"`);
    },
  };
}

async function refusal(response: Response, action: string): Promise<StepFailure> {
  const text = (await response.text()).slice(0, 300);
  const hint = response.status === 404 || response.status === 403 ? "; check run-id, repository and github-token" : "";
  return new StepFailure(`Cannot ${action}: the server answered ${response.status}${hint}: ${text}`);
}

function factsOf(artifact: Readonly<Record<string, unknown>>): ArtifactFacts {
  const { id, name, size_in_bytes: size, digest } = artifact;
  return {
    id: Number(id),
    name: String(name),
    size: Number(size),
    digest: typeof digest === "string" ? digest : undefined,
  };
}
