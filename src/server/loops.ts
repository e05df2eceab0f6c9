/** Starts what runs for as long as the process does: controllers, consumers of the durable logs, scraping. */
import type { RecordedEvent } from "#forge";
import { branchOf, type RefUpdate } from "#git";
import type { ManifestPush } from "#registry";
import { createEmbeddedTraffic, createPrometheusMeasure, createRollouts } from "#rollouts";
import type { RunView, Workflows } from "#workflows";
import { Chronicle, type RunFacts } from "./chronicle/chronicle.ts";
import type { ServerContext } from "./context.ts";
import { keepGoing } from "./keep-going.ts";
import { sampleProcess } from "./own-metrics.ts";
import { consume } from "./positions.ts";
import type { Rooms } from "./rooms.ts";
import { keepApiServerService } from "./wiring/api-server-service.ts";
import { controlUrl, ownRepository, publicUrl } from "./wiring/addresses.ts";
import { tellForgeEvent } from "./wiring/forge-event.ts";
import { packageEvent, repositoryOfImage } from "./wiring/package-event.ts";
import { commitOf, pushEvent, refEvent } from "./wiring/push-event.ts";
import { sightedMeasure } from "./wiring/sighted-measure.ts";
import { runTrafficController } from "./wiring/traffic-controller.ts";
import { defaultHead } from "./wiring/workflow-source.ts";

const garbageIntervalMs = 3_600_000;

export async function startLoops(context: ServerContext, rooms: Rooms, owned: AsyncDisposableStack): Promise<void> {
  const { tasks, clock, ids, log } = context;
  const { cluster, informers, routers } = rooms;
  const chronicle = new Chronicle({ ...rooms, ownRepository, clock, log, tasks });
  const traffic = createEmbeddedTraffic({ cluster });
  const prometheus = createPrometheusMeasure({
    defaultAddress: `${controlUrl(rooms.addresses)}/prometheus`,
    defaultHeaders: () => ({ authorization: `Bearer ${rooms.adminToken}` }),
  });
  const measure = sightedMeasure(prometheus, rooms.metrics, clock);
  const rollouts = createRollouts({ cluster, informers, traffic, measure, clock, ids, log });
  tasks.start("workloads", (signal) => rooms.workloads.run(signal));
  tasks.start("traffic", (signal) => runTrafficController({ cluster, informers, routers, clock, log }, signal));
  const api = { cluster, informers, host: context.config.kube.host, port: rooms.addresses.kubePort };
  keep(context, "service of the API", (signal) => keepApiServerService(api, signal));
  tasks.start("rollouts", (signal) => rollouts.run(signal));
  tasks.start("gitops", (signal) => rooms.gitops.run(signal));
  tasks.start("image updates", (signal) => rooms.imageUpdater.run(signal));
  tasks.start("metrics", (signal) => rooms.metrics.run(signal));
  tasks.start("own metrics", (signal) => sampleProcess(rooms.ownMetrics, clock, signal));
  tasks.start("garbage", (signal) => collectGarbage(context, rooms, signal));
  await informers.synced();
  owned.use(chronicle.follow());
  owned.use(rooms.feed.follow(informers));
  followPushes(context, rooms, chronicle);
  followForge(context, rooms);
  followImages(context, rooms, chronicle);
  keep(context, "unfinished runs", () => rooms.workflows.resume());
  keep(context, "run notices", (signal) => followRuns(rooms, chronicle, signal));
}

function keep(context: ServerContext, name: string, work: (signal: AbortSignal) => Promise<void>): void {
  context.tasks.start(name, (signal) => keepGoing(name, work, context, signal));
}

/** Each consumer has a position of its own: a slow one holds no other back, and each goes on where it was. */
function followPushes(context: ServerContext, rooms: Rooms, chronicle: Chronicle): void {
  const { repositories, positions, workflows, gitops, timeline, feed } = rooms;
  const { clock, log } = context;
  const follow = (name: string, handle: (update: RefUpdate, signal: AbortSignal) => Promise<void>): void => {
    const parts = { source: repositories.updates, positions, consumer: name, handle, clock, log };
    keep(context, name, (signal) => consume(parts, signal));
  };
  follow("pushes to workflows", async (update, signal) => {
    const commit = await commitOf(repositories, update);
    // A tag may be of a file: nothing can run at that.
    if (commit === undefined) return;
    const event = pushEvent(update, commit);
    if (event !== undefined) await workflows.accept(event, { signal });
    const ref = refEvent(update, commit, await defaultHead(repositories, update.repository, signal));
    if (ref !== undefined) await workflows.accept(ref, { signal });
  });
  follow("pushes to pull requests", async (update, signal) => {
    const branch = branchOf(update.ref);
    const repository = branch === undefined ? undefined : await repositories.get(update.repository);
    if (branch === undefined || repository === undefined) return;
    // As it is by now: of several moves the last one counts.
    const after = async (): Promise<string | undefined> => (await repositories.refs(repository.name)).get(update.ref);
    await rooms.forge.pulls.pushed(repository, { branch, after, pusher: update.pusher }, signal);
  });
  follow("pushes to gitops", (update) => {
    gitops.notifyPush(update.repository, update.ref, update.after);
    return Promise.resolve();
  });
  follow("pushes to timeline", async (update) => {
    await chronicle.refUpdate(update);
    feed.notify("deliveries");
    feed.notify("repositories");
  });
  keep(context, "timeline to consoles", async (signal) => {
    for await (const _event of timeline.subscribe(signal)) feed.notify("deliveries");
  });
}

function followForge(context: ServerContext, rooms: Rooms): void {
  const { forge, positions, feed } = rooms;
  const { clock, log } = context;
  const follow = (name: string, handle: (event: RecordedEvent, signal: AbortSignal) => Promise<void>): void => {
    const parts = { source: forge.events, positions, consumer: name, handle, clock, log };
    keep(context, name, (signal) => consume(parts, signal));
  };
  const serverUrl = (): string => publicUrl(rooms.addresses);
  keep(context, "webhooks of remotes", (signal) => rooms.remoteDeliveries.follow(signal));
  keep(context, "looks at remotes", (signal) => rooms.remoteDeliveries.lookAround(signal));
  keep(context, "statuses to remotes", (signal) => forge.outbox.run(rooms.remoteMirrors, signal));
  follow("pull requests to workflows", (event, signal) => tellForgeEvent({ ...rooms, serverUrl }, event, signal));
  follow("pull requests to consoles", ({ event, repository }) => {
    if (event.kind !== "release") feed.notify("pulls", repository);
    return Promise.resolve();
  });
}

function followImages(context: ServerContext, rooms: Rooms, chronicle: Chronicle): void {
  const { registry, positions, imageUpdater } = rooms;
  const { clock, log } = context;
  const follow = (name: string, handle: (push: ManifestPush, signal: AbortSignal) => Promise<void>): void => {
    const parts = { source: registry.pushes, positions, consumer: name, handle, clock, log };
    keep(context, name, (signal) => consume(parts, signal));
  };
  follow("images to timeline", async (push) => {
    const image = await registry.image(push.repository, push.digest);
    const { tag, ...facts } = push;
    const named = tag === undefined ? facts : { ...facts, tag };
    await chronicle.image(named, image?.labels["org.opencontainers.image.revision"]);
  });
  follow("images to workflows", (push, signal) => tellPackage(rooms, push, signal));
  follow("images to updates", (push) => {
    imageUpdater.notifyImage((image) => ownRepository(image) === push.repository);
    return Promise.resolve();
  });
}

async function tellPackage(rooms: Rooms, push: ManifestPush, signal: AbortSignal): Promise<void> {
  const { registry, repositories, workflows } = rooms;
  const name = repositoryOfImage(push.repository);
  const repository = name === undefined ? undefined : await repositories.get(name);
  if (repository === undefined) return;
  const head = await defaultHead(repositories, repository.name, signal);
  const earlier = await registry.pushedBefore(push);
  const event = packageEvent(push, repository.name, head, !earlier);
  if (event !== undefined) await workflows.accept(event, { signal });
}

async function followRuns(rooms: Rooms, chronicle: Chronicle, signal: AbortSignal): Promise<void> {
  const { workflows, remoteMirrors, feed } = rooms;
  using notices = workflows.subscribe(signal);
  // What ended while this process was down, before what happens from now on.
  for (const run of (await workflows.listRuns({ limit: 200 })).toReversed()) {
    await chronicleRun(workflows, chronicle, run);
    await remoteMirrors.runChanged(run);
  }
  for await (const { runId, kind } of notices) {
    if (kind === "log") continue;
    feed.notify("runs", runId);
    if (kind !== "run") continue;
    const run = await workflows.getRunView(runId);
    if (run === undefined) continue;
    // What a run says of a commit, it says of the pull request too.
    feed.notify("pulls", run.repository);
    await chronicleRun(workflows, chronicle, run);
    await remoteMirrors.runChanged(run);
  }
}

async function chronicleRun(workflows: Workflows, chronicle: Chronicle, run: RunView): Promise<void> {
  await chronicle.run(runFacts(run));
  for (const review of await workflows.reviews.list(run.id)) await chronicle.review(runFacts(run), review);
}

function runFacts(run: RunView): RunFacts {
  return { ...run, workflow: run.workflow.name };
}

async function collectGarbage({ clock, log }: ServerContext, rooms: Rooms, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(garbageIntervalMs, signal).catch(() => {});
    if (signal.aborted) return;
    try {
      await rooms.registry.collectGarbage(signal);
      await rooms.artifacts.sweep();
    } catch (error) {
      log.warn("Cannot collect the garbage of images and artifacts, trying again in an hour", { error });
    }
  }
}
