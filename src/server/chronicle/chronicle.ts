/**
 * Writes the timeline: watches what the rooms put on durable record (ref updates, pushed images) or show as objects
 * (runs, applications, rollouts, analyses), and says what caused what. It decides nothing; without it everything works
 * and nobody knows why.
 */
import {
  type AnalysisRun,
  analysisRuns,
  type Application,
  applications,
  podTemplateHashLabel,
  replicaSets,
  revisionAnnotation,
  type Rollout,
  type RunReview,
  rollouts,
  type TimelineEvent,
} from "#api";
import type { Clock, Log, TaskGroup } from "#lib";
import type { Informers } from "#controller";
import type { Repositories, RefUpdate } from "#git";
import type { Timeline } from "#timeline";
import { analysisId, imageId, pushId, releaseId, reviewId, runCompletedId, runId, syncId } from "./event-ids.ts";
import { releaseEvents } from "./release-events.ts";
import { readTrailers } from "./trailers.ts";

export interface RunFacts {
  readonly id: string;
  readonly attempt: number;
  readonly repository: string;
  readonly sha: string;
  readonly actor: string;
  readonly title: string;
  readonly workflow: string;
  readonly status: string;
  readonly conclusion?: string;
}

export interface PushedImageFacts {
  readonly repository: string;
  readonly tag?: string;
  readonly digest: string;
  readonly pushedAt: string;
  readonly pusher: string;
}

export interface ChronicleOptions {
  readonly timeline: Timeline;
  readonly informers: Informers;
  readonly repositories: Repositories;
  /** The `owner/repo` of ours that a URL or image name means, if it is one. */
  readonly ownRepository: (url: string) => string | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly tasks: TaskGroup;
}

const zero = /^0+$/;

export class Chronicle {
  readonly #options: ChronicleOptions;
  /** Events are written one after the other, so that the order of recording is the order of happening. */
  #tail: Promise<void> = Promise.resolve();

  constructor(options: ChronicleOptions) {
    this.#options = options;
  }

  /** Follows the objects until disposed. */
  follow(): Disposable {
    const { informers } = this.#options;
    const stack = new DisposableStack();
    stack.use(informers.for(applications).subscribe((event) => this.#application(event.object)));
    stack.use(informers.for(rollouts).subscribe((event) => this.#rollout(event.object)));
    stack.use(informers.for(analysisRuns).subscribe((event) => this.#analysis(event.object)));
    return stack;
  }

  async refUpdate(update: RefUpdate): Promise<void> {
    const { repository, ref, after } = update;
    if (zero.test(after) || !ref.startsWith("refs/heads/")) return;
    const commit = await this.#options.repositories.commitInfo(repository, after);
    if (commit === undefined) return;
    const causes = this.#imageCause(readTrailers(commit.message).get("Tidegate-Image") ?? "");
    await this.#options.timeline.record({
      id: pushId(repository, after),
      kind: causes.length > 0 ? "environment-commit" : "push",
      at: update.pushedAt,
      subject: `${repository}@${after}`,
      title: commit.subject,
      tone: "neutral",
      actor: update.pusher,
      causes,
      data: { repository, ref, sha: after, before: update.before, author: commit.author.name },
    });
  }

  async run(run: RunFacts): Promise<void> {
    const subject = `${run.repository}@${run.sha}`;
    const base = { at: this.#now(), subject, actor: run.actor };
    const data = { run: run.id, repository: run.repository, sha: run.sha, workflow: run.workflow };
    const started = { ...base, id: runId(run.id), kind: "run-started", tone: "neutral", data } as const;
    await this.#options.timeline.record({
      ...started,
      title: `${run.workflow} started`,
      causes: [pushId(run.repository, run.sha)],
    });
    if (run.status !== "completed") return;
    const conclusion = run.conclusion ?? "unknown";
    await this.#options.timeline.record({
      ...base,
      id: runCompletedId(run.id, run.attempt),
      kind: "run-completed",
      title: `${run.workflow}: ${conclusion}`,
      tone: conclusion === "success" ? "good" : conclusion === "failure" ? "bad" : "neutral",
      causes: [runId(run.id)],
      data: { ...data, conclusion },
    });
  }

  /** Somebody let jobs deploy, or kept them from it. */
  async review(run: Pick<RunFacts, "repository" | "sha" | "workflow">, review: RunReview): Promise<void> {
    const { environment, state, actor, comment, forced, runId: id } = review;
    const what = `${actor} ${state} ${run.workflow} for ${environment}${forced ? ", passing its rules over" : ""}`;
    await this.#options.timeline.record({
      id: reviewId(id, review.id),
      kind: "approval",
      at: review.at,
      subject: `${run.repository}@${run.sha}`,
      title: comment === "" ? what : `${what}: ${comment.split("\n")[0]?.slice(0, 200) ?? ""}`,
      tone: state === "approved" ? "good" : "bad",
      actor,
      causes: [runId(id)],
      data: { run: id, attempt: review.attempt, repository: run.repository, environment, state, comment, forced },
    });
  }

  /** `revision` is the commit the image says it was built from. */
  async image(image: PushedImageFacts, revision: string | undefined): Promise<void> {
    const { repository, digest } = image;
    const run = /^run\/(\d+)$/.exec(image.pusher)?.[1];
    const causes = run === undefined ? (revision === undefined ? [] : [pushId(repository, revision)]) : [runId(run)];
    await this.#options.timeline.record({
      id: imageId(repository, digest),
      kind: "image-pushed",
      at: image.pushedAt,
      subject: `${repository}@${digest}`,
      title: `Image ${repository}${image.tag === undefined ? "" : `:${image.tag}`}`,
      tone: "neutral",
      actor: image.pusher,
      causes,
      data: { repository, digest, tag: image.tag ?? "", revision: revision ?? "" },
    });
  }

  /** Resolves when all that was seen so far is recorded. */
  async settled(): Promise<void> {
    await this.#tail;
  }

  #application(application: Application): void {
    const { namespace = "", name } = application.metadata;
    const operation = application.status?.operationState;
    const revision = operation?.syncResult?.revision;
    if (operation === undefined || revision === undefined) return;
    const id = syncId(namespace, name, revision);
    const repository = this.#options.ownRepository(application.spec.source?.repoURL ?? "");
    const causes = repository === undefined ? [] : [pushId(repository, revision)];
    const base = { at: this.#now(), subject: `${namespace}/${name}`, data: { namespace, application: name, revision } };
    const short = revision.slice(0, 7);
    this.#record({ ...base, id, kind: "sync-started", title: `Sync of ${name} to ${short}`, tone: "neutral", causes });
    if (operation.phase === "Running" || operation.phase === "Terminating") return;
    const good = operation.phase === "Succeeded";
    this.#record({
      ...base,
      id: `${id}:${operation.phase}:${good ? "" : operation.startedAt}`,
      kind: "sync-completed",
      title: good ? `Synced ${name} to ${short}` : `Sync of ${name} to ${short}: ${operation.phase}`,
      tone: good ? "good" : "bad",
      causes: [id],
    });
  }

  #rollout(rollout: Rollout): void {
    const revision = this.#revisionOf(rollout);
    const events = releaseEvents(rollout, { now: this.#now(), revision, causes: this.#releaseCauses(rollout) });
    for (const event of events) this.#record(event);
  }

  #revisionOf(rollout: Rollout): string | undefined {
    const sets = this.#options.informers.for(replicaSets).ownedBy(rollout.metadata.uid ?? "");
    const current = sets.find((set) => set.metadata.labels?.[podTemplateHashLabel] === rollout.status?.currentPodHash);
    return current?.metadata.annotations?.[revisionAnnotation];
  }

  #analysis(run: AnalysisRun): void {
    const phase = run.status?.phase ?? "";
    if (phase === "" || phase === "Pending" || phase === "Running") return;
    const owner = run.metadata.ownerReferences?.find((reference) => reference.kind === "Rollout");
    const namespace = run.metadata.namespace ?? "";
    const rollout = owner === undefined ? undefined : this.#options.informers.for(rollouts).get(namespace, owner.name);
    const { name } = run.metadata;
    this.#record({
      id: analysisId(namespace, name),
      kind: "analysis-completed",
      at: this.#now(),
      subject: `${namespace}/${owner?.name ?? name}`,
      title: `Analysis ${name}: ${phase}${run.status?.message === undefined ? "" : `, ${run.status.message}`}`,
      tone: phase === "Successful" ? "good" : isBad(run) ? "bad" : "neutral",
      causes: rollout === undefined ? [] : this.#releaseOf(rollout, run),
      data: { namespace, analysisRun: name, phase },
    });
  }

  /** The release that the run judged: by the pod hash it carries. */
  #releaseOf(rollout: Rollout, run: AnalysisRun): string[] {
    const { uid = "" } = rollout.metadata;
    const podHash = run.metadata.labels?.[podTemplateHashLabel] ?? "";
    const sets = this.#options.informers.for(replicaSets).ownedBy(uid);
    const revision = sets.find((set) => set.metadata.labels?.[podTemplateHashLabel] === podHash)?.metadata.annotations;
    return [releaseId(uid, revision?.[revisionAnnotation] ?? "", podHash)];
  }

  /** The sync that brought this release. The images tie it to the commit even when nobody synced (kubectl apply). */
  #releaseCauses(rollout: Rollout): string[] {
    const tracking = rollout.metadata.annotations?.["argocd.argoproj.io/tracking-id"];
    const name = tracking?.split(":")[0];
    if (name === undefined) return [];
    const application = this.#options.informers
      .for(applications)
      .list()
      .find((found) => found.metadata.name === name);
    const operation = application?.status?.operationState;
    const revision = operation?.syncResult?.revision ?? application?.status?.sync?.revision;
    if (application === undefined || revision === undefined) return [];
    return [syncId(application.metadata.namespace ?? "", name, revision)];
  }

  /** `host/owner/repo@sha256:…` of a trailer to the event of that image. */
  #imageCause(text: string): string[] {
    const [name = "", digest] = text.split("@");
    if (digest === undefined) return [];
    return [imageId(this.#options.ownRepository(name) ?? name, digest)];
  }

  #record(event: TimelineEvent): void {
    const { timeline, tasks, log } = this.#options;
    const before = this.#tail;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#tail = promise;
    tasks.start("chronicle", async () => {
      await before;
      try {
        await timeline.record(event);
      } catch (error) {
        log.error("Cannot record an event", { id: event.id, error });
      } finally {
        resolve();
      }
    });
  }

  #now(): string {
    return this.#options.clock.now().toString({ smallestUnit: "millisecond" });
  }
}

function isBad(run: AnalysisRun): boolean {
  const phase = run.status?.phase;
  return phase === "Failed" || phase === "Error";
}
