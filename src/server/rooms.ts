/** Opens every room on the data folder and hands each the ports it asked for. Order: what others stand on first. */
import { join } from "node:path";
import { type ArtifactService, openArtifactService } from "#artifacts";
import { Authority, ensureAdminToken, ensurePrivateKey, JobIdentities, Tokens } from "#auth";
import { Informers } from "#controller";
import { openMirrors, openRemoteCommits, openRepositories, type RemoteCommits, type Repositories } from "#git";
import { createGitops, type Gitops } from "#gitops";
import { createRegistryClient, type RegistryClient, type RegistryCredentials } from "#images";
import { type Forge, openForge } from "#forge";
import { type EmbeddedCluster, openEmbeddedCluster } from "#kube";
import { type Database, errorMessage, openDatabase, readFileIfExists } from "#lib";
import { MetricRegistry, Metrics } from "#metrics";
import { createImageUpdater, type ImageUpdater } from "#promotion";
import { openRegistry, type Registry } from "#registry";
import { setKustomizeImage } from "#render";
import { type Routers, startRouters } from "#router";
import type { PodRuntime } from "#runtime";
import { keyFile, openSecrets, type SecretsRoom } from "#secrets";
import { Timeline } from "#timeline";
import { openWorkflows, type Workflows } from "#workflows";
import { createWorkloads, type Workloads } from "#workloads";
import { volumeFolders } from "./wiring/volume-folders.ts";
import { ChangeFeed } from "./api/change-feed.ts";
import type { ServerContext } from "./context.ts";
import { Positions } from "./positions.ts";
import { ensureSecretKey } from "./secret-key.ts";
import { nodeName, publicUrl } from "./wiring/addresses.ts";
import { CommitChecks } from "./wiring/commit-checks.ts";
import { engineLogin } from "./wiring/engine-login.ts";
import { actionSources } from "./wiring/action-sources.ts";
import { endpointGate } from "./wiring/endpoint-gate.ts";
import { environmentRepositories } from "./wiring/environment-repositories.ts";
import { forgeCommits } from "./wiring/forge-commits.ts";
import { gitopsSource } from "./wiring/gitops-source.ts";
import { imageSource } from "./wiring/image-source.ts";
import { imageTags } from "./wiring/image-tags.ts";
import { jobTokens } from "./wiring/job-tokens.ts";
import { LateAddresses } from "./wiring/late-addresses.ts";
import { metricSeries } from "./wiring/metric-series.ts";
import { podGateway } from "./wiring/pod-gateway.ts";
import { podRuntimes } from "./wiring/pod-runtimes.ts";
import { podReach } from "./wiring/pod-reach.ts";
import { RemoteDeliveries } from "./wiring/remote-deliveries.ts";
import { RemoteMirrors } from "./wiring/remote-mirrors.ts";
import { scrapeTargets } from "./wiring/scrape-targets.ts";
import { workflowServices } from "./wiring/workflow-services.ts";
import { lintReview } from "./wiring/lint-review.ts";
import { RecentFindings } from "./wiring/recent-findings.ts";
import { workflowSource } from "./wiring/workflow-source.ts";
import { workflowVariables } from "./wiring/workflow-variables.ts";

export interface Rooms {
  readonly addresses: LateAddresses;
  readonly tokens: Tokens;
  readonly adminToken: string;
  /** Signs the certificate of the Kubernetes API. */
  readonly authority: Authority;
  readonly registryKey: Uint8Array;
  readonly positions: Positions;
  readonly timeline: Timeline;
  readonly feed: ChangeFeed;
  readonly repositories: Repositories;
  readonly registry: Registry;
  readonly artifacts: ArtifactService;
  readonly identities: JobIdentities;
  readonly secrets: SecretsRoom;
  readonly workflows: Workflows;
  readonly findings: RecentFindings;
  readonly forge: Forge;
  readonly commitChecks: CommitChecks;
  readonly remoteMirrors: RemoteMirrors;
  readonly remoteDeliveries: RemoteDeliveries;
  readonly cluster: EmbeddedCluster;
  readonly informers: Informers;
  readonly gitops: Gitops;
  readonly runtime: PodRuntime;
  readonly workloads: Workloads;
  readonly routers: Routers;
  readonly ownMetrics: MetricRegistry;
  readonly metrics: Metrics;
  readonly imageUpdater: ImageUpdater;
  /** Ends routers, then pods: only when somebody asked for it, and when no loop runs that would start them again. */
  stopDataPlane(signal: AbortSignal): Promise<void>;
}

export async function openRooms(context: ServerContext, owned: AsyncDisposableStack): Promise<Rooms> {
  const { home, clock, ids, log } = context;
  const addresses = new LateAddresses(context.config.control.host, context.config.publicUrl);
  const database = openDatabase(home.relationalDatabase);
  owned.defer(() => database.destroy());
  const tokens = await Tokens.open({ database, clock, ids });
  const adminToken = await ensureAdminToken(tokens, home.adminToken, ids);
  await installRunnerToken(tokens, home.runnerToken);
  const positions = await Positions.open(database);
  const timeline = await Timeline.open(database);
  const feed = new ChangeFeed(clock);
  owned.defer(() => feed.close());
  const searchPath = context.config.hostPath;
  const repositories = owned.use(
    await openRepositories({ folder: home.repositories, database, clock, ids, log, searchPath }),
  );
  const mirrors = await openMirrors({ folder: home.mirrors, clock, log, searchPath });
  const registry = await openRegistry({ folder: home.registry, database, clock, ids, log });
  const secrets = await openSecrets({ database, keys: keyFile(join(home.keys, "secrets")), clock, log });
  const remoteCommits = await openRemoteCommits({ folder: home.actions, clock, ids, log, searchPath });
  const forge = { addresses, database, tokens, repositories, remoteCommits, secrets };
  const { workflows, findings, artifacts, identities } = await openWorkflowRooms(context, forge, owned);
  const authority = await Authority.open({ folder: home.keys, clock });
  const cluster = owned.use(
    openEmbeddedCluster({
      file: home.clusterDatabase,
      clock,
      ids,
      log,
      signingKey: await ensurePrivateKey(join(home.keys, "service-accounts.key")),
      authority: authority.certificate,
    }),
  );
  const informers = owned.use(new Informers({ cluster, clock, log }));
  const dataPlane = await openDataPlane(context, { addresses, cluster, informers, registry, tokens }, owned);
  const gitops = createGitops({ cluster, informers, source: gitopsSource(repositories, mirrors), clock, ids, log });
  const imageUpdater = createImageUpdater({
    cluster,
    informers,
    tags: imageTags(registry),
    environments: environmentRepositories(repositories),
    kustomizations: { setImage: editKustomization },
    clock,
    ids,
    log,
  });
  const registryKey = await ensureSecretKey(join(home.keys, "registry"));
  return {
    addresses,
    tokens,
    adminToken,
    authority,
    registryKey,
    positions,
    timeline,
    feed,
    repositories,
    registry,
    artifacts,
    identities,
    secrets,
    workflows,
    findings,
    ...(await openForgeRoom(context, { addresses, database, repositories, secrets, workflows })),
    cluster,
    informers,
    gitops,
    imageUpdater,
    ...dataPlane,
  };
}

type WorkflowRooms = Pick<Rooms, "workflows" | "findings" | "artifacts" | "identities">;

/** Runs, and what their jobs use: each needs the other, so the services ask about jobs only when they are used. */
async function openWorkflowRooms(
  context: ServerContext,
  forge: Pick<Rooms, "addresses" | "tokens" | "repositories" | "secrets"> & {
    readonly database: Database;
    readonly remoteCommits: RemoteCommits;
  },
  owned: AsyncDisposableStack,
): Promise<WorkflowRooms> {
  const { home, clock, ids, log } = context;
  const { addresses, database, tokens, repositories, secrets } = forge;
  const isRunning = (jobId: string): Promise<boolean> => workflows.isRunning(jobId);
  const jobKey = await ensureSecretKey(join(home.keys, "jobs"));
  const folder = home.artifacts;
  const artifacts = await openArtifactService({ database, folder, key: jobKey, jobs: { isRunning }, clock, ids });
  const identities = await JobIdentities.open({
    signingKey: await ensurePrivateKey(join(home.keys, "job-identities.key"), "rsa"),
    requestKey: jobKey,
    issuer: () => publicUrl(addresses),
    isRunning,
    clock,
    ids,
  });
  const findings = new RecentFindings(clock);
  const workflows: Workflows = await openWorkflows({
    database,
    folder: home.workflows,
    clock,
    ids,
    log,
    source: workflowSource(repositories),
    review: lintReview(repositories, findings),
    actions: actionSources({ repositories, remotes: forge.remoteCommits, policyFile: home.actionPolicy }),
    retention: context.config.runRetention,
    tokens: jobTokens(tokens, ids),
    variables: workflowVariables(addresses, secrets),
    services: workflowServices({ addresses, artifacts, identities }),
  });
  owned.use(workflows);
  return { workflows, findings, artifacts, identities };
}

/** Pull requests and the rest; what is said of commits is asked of them and of the runs. */
async function openForgeRoom(
  { home, clock, ids, log }: ServerContext,
  rooms: Pick<Rooms, "addresses" | "repositories" | "secrets" | "workflows"> & { readonly database: Database },
): Promise<Pick<Rooms, "forge" | "commitChecks" | "remoteMirrors" | "remoteDeliveries">> {
  const { addresses, database, repositories, secrets, workflows } = rooms;
  const runUrl = (id: string): string => `${publicUrl(addresses)}/runs/${id}`;
  const commitChecks: CommitChecks = new CommitChecks({
    workflows: () => workflows,
    repositories,
    forge: () => forge,
    runUrl,
  });
  const commits = forgeCommits(repositories);
  const forge: Forge = await openForge({
    database,
    folder: home.forge,
    commits,
    checks: commitChecks,
    clock,
    ids,
    log,
  });
  const parts = { forge, repositories, workflows, clock, log };
  const remoteMirrors = new RemoteMirrors({ ...parts, secrets, commitChecks, runUrl });
  return { forge, commitChecks, remoteMirrors, remoteDeliveries: new RemoteDeliveries({ ...parts, remoteMirrors }) };
}

type DataPlane = Pick<Rooms, "runtime" | "workloads" | "routers" | "ownMetrics" | "metrics" | "stopDataPlane">;

async function openDataPlane(
  context: ServerContext,
  rooms: Pick<Rooms, "addresses" | "cluster" | "informers" | "registry" | "tokens">,
  owned: AsyncDisposableStack,
): Promise<DataPlane> {
  const { config, home, clock, ids, log, signal } = context;
  const { cluster, informers, registry } = rooms;
  const remote = (login: RegistryCredentials | undefined): RegistryClient =>
    createRegistryClient({ credentials: () => login, clock });
  const source = imageSource({
    registry,
    remote,
    cacheFolder: home.imageCache,
    engineLogin: engineLogin(rooms.tokens, ids),
  });
  const runtime = owned.use(await podRuntimes(context, source, podGateway(informers, rooms.addresses)));
  const listen = config.traffic;
  const routers = owned.use(
    await startRouters({
      folder: home.routers,
      count: config.routers,
      listen,
      nodePath: config.nodePath,
      codeCache: config.codeCache,
      log,
      clock,
      signal,
    }),
  );
  const ownMetrics = new MetricRegistry();
  const targets = scrapeTargets(informers, routers, ownMetrics);
  const metrics = owned.use(await Metrics.open({ folder: home.metrics, targets, clock, log }));
  const workloads = createWorkloads({
    cluster,
    informers,
    runtime,
    gate: endpointGate(informers, routers),
    volumes: volumeFolders(home.volumes),
    timeZone: Temporal.Now.timeZoneId(),
    reach: podReach(rooms.addresses),
    accounts: cluster.accounts,
    ...(config.pods.hostPaths === undefined ? {} : { hostPaths: config.pods.hostPaths }),
    series: metricSeries(metrics, clock),
    clock,
    ids,
    log,
    nodeName,
  });
  return {
    runtime,
    workloads,
    routers,
    ownMetrics,
    metrics,
    async stopDataPlane(stopSignal) {
      await routers.stop();
      await stopPods(runtime, stopSignal);
    },
  };
}

/** The objects stay: the next start runs the pods again. */
async function stopPods(runtime: PodRuntime, signal: AbortSignal): Promise<void> {
  const graceMs = 5000;
  const running = runtime.list().filter((container) => container.state.kind === "running");
  // One that cannot be stopped must not keep the others running; all that went wrong is told at the end.
  const stopped = await Promise.allSettled(
    running.map((container) => runtime.stopContainer(container.id, { graceMs, signal })),
  );
  const removed = await Promise.allSettled(runtime.pods().map((pod) => runtime.removePod(pod.uid, signal)));
  const failures = [...stopped, ...removed].flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} pods could not be stopped`);
}

function editKustomization(
  text: string,
  image: Parameters<typeof setKustomizeImage>[1],
): { text?: string; problems: { path: string; message: string }[] } {
  try {
    return { text: setKustomizeImage(text, image), problems: [] };
  } catch (error) {
    return { problems: [{ path: "", message: errorMessage(error) }] };
  }
}

async function installRunnerToken(tokens: Tokens, file: string): Promise<void> {
  const secret = (await readFileIfExists(file))?.trim();
  if (secret === undefined || secret === "") return;
  await tokens.install("runner", secret, { name: "local runner", scopes: ["runner:write"] });
}
