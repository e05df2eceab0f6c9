/**
 * The rooms that a local run needs, on a data folder that goes with it: repositories, runs, caches and artifacts behind
 * the same HTTP faces as on a server, on a free port of this machine, and a runner in this process. Only caches, tools,
 * actions of other hosts and artifacts are kept.
 */
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Fastify from "fastify";
import {
  type ArtifactService,
  blobRoutes,
  cacheScopes,
  cacheV1Routes,
  openArtifactService,
  reportRoutes,
  twirpRoutes,
} from "#artifacts";
import { Tokens } from "#auth";
import { gitRoutes, noPushChecks, openRemoteCommits, openRepositories, type Repositories } from "#git";
import { openDatabase } from "#lib";
import { openRegistry, registryRoutes } from "#registry";
import { createRunner, type Runner } from "#runner";
import {
  openWorkflows,
  type ServicesPort,
  type VariablesPort,
  type Workflows,
  type WorkflowSourcePort,
  workflowRoutes,
} from "#workflows";
import { actionSources } from "../wiring/action-sources.ts";
import { controlUrl, namedServerUrl, registryHost } from "../wiring/addresses.ts";
import { jobTokenLifetimeMs, jobTokens } from "../wiring/job-tokens.ts";
import { LateAddresses } from "../wiring/late-addresses.ts";
import { workflowSource } from "../wiring/workflow-source.ts";
import type { LocalOptions } from "./local-options.ts";

export interface LocalRooms {
  readonly repositories: Repositories;
  readonly workflows: Workflows;
  readonly artifacts: ArtifactService;
  readonly runner: Runner;
  /** By which artifacts of a run are found: runs of all times share their store. */
  artifactsRun(runId: string): string;
  /** For files of the run; goes with it. */
  readonly temp: string;
}

/** A machine that sleeps for a while must not lose its jobs: the runner is this process. Under what HTTP clients wait. */
const leaseMs = 600_000;

const bodyLimit = 64 * 1024 * 1024;

/** @param wrapSource what the workflow files of a run are read from, given the repositories */
export async function openLocalRooms(
  options: LocalOptions,
  wrapSource: (source: WorkflowSourcePort) => WorkflowSourcePort,
  owned: AsyncDisposableStack,
): Promise<LocalRooms> {
  const { clock, ids, log, env, keep } = options;
  const temp = await mkdtemp(join(tmpdir(), "tidegate-run-"));
  owned.defer(() => rm(temp, { recursive: true, force: true, maxRetries: 3 }));
  // Whoever reads our output may end us without a word, as "head" does.
  process.once("exit", () => rmSync(temp, { recursive: true, force: true }));
  await mkdir(keep.caches, { recursive: true });
  const database = openDatabase(join(temp, "tidegate.db"));
  owned.defer(() => database.destroy());
  const keptDatabase = openDatabase(join(keep.caches, "caches.db"));
  owned.defer(() => keptDatabase.destroy());
  const addresses = new LateAddresses("127.0.0.1");
  const tokens = await Tokens.open({ database, clock, ids });
  const searchPath = env["PATH"] ?? "";
  const repositories = owned.use(
    await openRepositories({ folder: join(temp, "repos"), database, clock, ids, log, searchPath }),
  );
  const remotes = await openRemoteCommits({ folder: keep.actions, clock, ids, log, searchPath });
  const registry = await openRegistry({ folder: join(temp, "blobs"), database, clock, ids, log });
  const key = randomBytes(32);
  const artifacts = await openArtifactService({
    database: keptDatabase,
    folder: keep.caches,
    key,
    jobs: { isRunning: (jobId) => workflows.isRunning(jobId) },
    clock,
    ids,
  });
  const prefix = ids.uuid();
  const artifactsRun = (runId: string): string => `${prefix}-${runId}`;
  const workflows: Workflows = await openWorkflows({
    database,
    folder: join(temp, "workflows"),
    clock,
    ids,
    log,
    source: wrapSource(workflowSource(repositories)),
    tokens: jobTokens(tokens, ids),
    variables: localVariables(addresses, options),
    services: localServices(addresses, artifacts, artifactsRun),
    actions: actionSources({ repositories, remotes, policyFile: join(keep.actions, "action-policy.yml") }),
    leaseMs,
  });
  owned.use(workflows);
  const app = Fastify({ bodyLimit, requestTimeout: 0, forceCloseConnections: true });
  owned.defer(() => app.close());
  const access = tokens;
  await app.register(workflowRoutes({ workflows, access, log }), { prefix: "/api/tidegate/v1/runner" });
  await app.register(registryRoutes({ registry, access, issuer: { secret: key }, clock, log }));
  const actions = { service: artifacts, baseUrl: () => controlUrl(addresses) };
  await app.register(twirpRoutes(actions), { prefix: "/twirp" });
  await app.register(cacheV1Routes(actions), { prefix: "/_apis/artifactcache" });
  await app.register(reportRoutes(artifacts), { prefix: "/_apis/tidegate" });
  await app.register(blobRoutes(artifacts), { prefix: "/_blob" });
  await app.register(gitRoutes({ repositories, access, checks: noPushChecks, log }));
  await app.listen({ host: "127.0.0.1", port: 0 });
  const control = (app.server.address() as AddressInfo).port;
  addresses.settle({ control, traffic: 0, kube: 0 });
  const runner = await localRunner(options, tokens, controlUrl(addresses), temp);
  owned.use(runner);
  return { repositories, workflows, artifacts, runner, artifactsRun, temp };
}

async function localRunner(options: LocalOptions, tokens: Tokens, url: string, temp: string): Promise<Runner> {
  const { clock, ids, log, env, keep, jobs, nodePath, bind, folder } = options;
  const token = `tg_${ids.secret()}`;
  await tokens.install("runner", token, { name: "local runner", scopes: ["runner:write"] });
  return createRunner({
    controlUrl: url,
    token,
    name: "local",
    // Whatever a job asks for, this machine is what there is.
    labels: ["*"],
    workFolder: join(temp, "runner"),
    sharedFolder: keep.tools,
    ...(bind ? { boundWorkspace: folder } : {}),
    nodePath,
    concurrency: jobs,
    baseEnv: env,
    // For containers of jobs; default: where engines usually are.
    ...(env["DOCKER_HOST"] === undefined ? {} : { engine: env["DOCKER_HOST"] }),
    clock,
    ids,
    log,
  });
}

function localVariables(addresses: LateAddresses, { secrets, variables }: LocalOptions): VariablesPort {
  return {
    variables: () => Promise.resolve({ REGISTRY: registryHost(addresses), ...variables }),
    secrets: () => Promise.resolve(secrets),
  };
}

/** As on a server, but for identity tokens: nobody elsewhere could trust them. */
function localServices(
  addresses: LateAddresses,
  artifacts: ArtifactService,
  artifactsRun: (runId: string) => string,
): ServicesPort {
  const control = (): string => controlUrl(addresses);
  const base = {
    get serverUrl() {
      return namedServerUrl(addresses);
    },
    get apiUrl() {
      return `${control()}/api/v3`;
    },
    get graphqlUrl() {
      return `${control()}/api/graphql`;
    },
  };
  return {
    base,
    async forJob({ repository, runId, jobId, attempt, github, defaultBranch, readOnly }) {
      const text = (name: string): string => (typeof github[name] === "string" ? github[name] : "");
      const scopes = cacheScopes({ ref: text("ref"), baseRef: text("base_ref"), defaultBranch, readOnly });
      const grant = { repository, runId: artifactsRun(runId), jobId, attempt, scopes };
      return {
        serverUrl: base.serverUrl,
        apiUrl: base.apiUrl,
        graphqlUrl: base.graphqlUrl,
        internalServerUrl: control(),
        resultsUrl: `${control()}/`,
        cacheUrl: `${control()}/`,
        runtimeToken: await artifacts.tokens.sign(grant, jobTokenLifetimeMs),
      };
    },
  };
}
