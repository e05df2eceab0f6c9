/** Jobs for tests of actions of ours: a real runner, and the real service of caches and artifacts behind it. */
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Fastify, { type FastifyInstance } from "fastify";
import { type ArtifactService, blobRoutes, openArtifactService, reportRoutes, twirpRoutes } from "#artifacts";
import { openDatabase, systemClock, systemIds } from "#lib";
import { createRunner } from "#runner";
import type { JobAssignment } from "#workflows";
import { ControlFake, jobWith, logOf, type JobRecord, type StepText, runnerOptions } from "../../src/runner/testing.ts";

export { logOf, type JobRecord, type StepText };

export interface BuiltInJobs extends AsyncDisposable {
  /** For the test's own files; removed with the rest. */
  readonly folder: string;
  readonly toolCache: string;
  readonly url: string;
  /** The face the jobs see: tests may add routes before the first request. */
  readonly app: FastifyInstance;
  readonly artifacts: ArtifactService;
  /** Runs to the end, as a job of run 1 unless said otherwise. */
  run(steps: readonly StepText[], more?: JobChanges): Promise<JobRecord>;
}

export interface JobChanges extends Partial<JobAssignment> {
  readonly github?: Readonly<Record<string, unknown>>;
}

export interface BuiltInJobsOptions {
  readonly path?: string;
  /** Adds to the face before it listens. */
  readonly routes?: (app: FastifyInstance, artifacts: ArtifactService) => Promise<void>;
}

const key = Buffer.alloc(32, 7);
const jobMs = 120_000;

/** The machine's programs, without those that npm puts first. */
export const hostPath = (process.env["PATH"] ?? "")
  .split(":")
  .filter((folder) => !folder.includes("node_modules"))
  .join(":");

export async function startBuiltInJobs(options: BuiltInJobsOptions = {}): Promise<BuiltInJobs> {
  const owned = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "built-in-"));
  owned.defer(async () => await rm(folder, { recursive: true, force: true }));
  const database = openDatabase(join(folder, "state.db"));
  owned.defer(async () => await database.destroy());
  const jobs = { isRunning: () => Promise.resolve(true) };
  const parts = { database, key, jobs, clock: systemClock, ids: systemIds };
  const artifacts = await openArtifactService({ ...parts, folder: join(folder, "artifacts") });
  const app = Fastify({ forceCloseConnections: true });
  owned.defer(async () => await app.close());
  const baseUrl = (): string => `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  await app.register(twirpRoutes({ service: artifacts, baseUrl }), { prefix: "/twirp" });
  await app.register(blobRoutes(artifacts), { prefix: "/_blob" });
  await app.register(reportRoutes(artifacts), { prefix: "/_apis/tidegate" });
  await options.routes?.(app, artifacts);
  await app.listen({ host: "127.0.0.1", port: 0 });
  const control = owned.use(new ControlFake());
  await control.start();
  const stop = new AbortController();
  const runner = createRunner(
    runnerOptions(control, {
      workFolder: join(folder, "work"),
      baseEnv: { PATH: options.path ?? hostPath, HOME: folder, LANG: "C.UTF-8" },
    }),
  );
  const running = runner.run(stop.signal);
  owned.defer(async () => {
    stop.abort();
    await running;
  });
  let count = 0;
  return {
    folder,
    toolCache: join(folder, "work", "shared", "tools"),
    url: baseUrl(),
    app,
    artifacts,
    async run(steps, { github = {}, ...more } = {}) {
      const base = jobWith(`job-${++count}`, steps);
      const assignment = { ...base, ...more };
      const grant = {
        repository: assignment.repository,
        runId: assignment.runId,
        jobId: assignment.jobId,
        attempt: assignment.runAttempt,
        scopes: [{ ref: "refs/heads/main", writable: true }],
      };
      const url = baseUrl();
      const services = {
        ...base.services,
        serverUrl: url,
        apiUrl: `${url}/api/v3`,
        graphqlUrl: `${url}/api/graphql`,
        internalServerUrl: url,
        resultsUrl: `${url}/`,
        runtimeToken: await artifacts.tokens.sign(grant, jobMs),
        ...more.services,
      };
      const contexts = {
        ...assignment.contexts,
        github: {
          run_id: assignment.runId,
          server_url: url,
          api_url: services.apiUrl,
          ...assignment.contexts.github,
          ...github,
        },
      };
      const record = control.queue({ ...assignment, services, contexts });
      await control.until(record, ({ completed }) => completed !== undefined, AbortSignal.timeout(jobMs));
      return record;
    },
    [Symbol.asyncDispose]: async () => await owned.disposeAsync(),
  };
}

/** Everything that was logged, for messages of failing tests. */
export function wholeLog(record: JobRecord): string {
  return [...record.logs.values()].flatMap((lines) => lines.map((line) => line.text)).join("\n");
}
