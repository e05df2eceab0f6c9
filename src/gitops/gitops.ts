/** GitOps as one thing: what the composition root runs, and what API and console ask of it. */
import {
  analysisRuns,
  appProjects,
  applications,
  pods,
  replicaSets,
  type AnyObject,
  type Application,
  type Operation,
  type ResourceDiff,
  type ResourceNode,
  type ResourceType,
  type SyncOperation,
} from "#api";
import { createController, watching, type Informers, type Request } from "#controller";
import type { Cluster } from "#kube";
import type { Clock, Ids, Log } from "#lib";
import { ApplicationStore } from "./application-store.ts";
import { resourceDiffs } from "./differences.ts";
import { DifferenceConfirmer } from "./diff/confirm.ts";
import { GitopsError } from "./errors.ts";
import { EventWriter } from "./event-writer.ts";
import { LiveObjects } from "./live/live-objects.ts";
import { isRunning } from "./operations.ts";
import type { SourcePort } from "./ports.ts";
import { ensureDefaultProject } from "./project/default-project.ts";
import { noRefresh, Observer } from "./observe.ts";
import { ApplicationReconciler } from "./reconcile.ts";
import { TargetStates } from "./source/target-state.ts";
import { resourceTree } from "./tree.ts";
import { applicationOfInstance } from "./tracking.ts";

export interface GitopsOptions {
  readonly cluster: Cluster;
  readonly informers: Informers;
  readonly source: SourcePort;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
}

export type SyncRequest = Pick<SyncOperation, "revision" | "prune" | "dryRun" | "resources" | "syncOptions"> & {
  /** Who asks, for the history. */
  readonly username?: string;
};

export interface Gitops {
  /** Reconciles until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
  /** A ref of a repository changed: the Applications that use it look at once. */
  notifyPush(repository: string, ref: string, sha: string): void;
  refresh(application: Request): void;
  /** Asks for a sync; it runs in the background. Throws `GitopsError` when it cannot begin. */
  sync(application: Request, request: SyncRequest, signal: AbortSignal): Promise<void>;
  /** A sync to an entry of the history. Refused under automated sync, which would undo it at once. */
  rollback(application: Request, historyId: number, signal: AbortSignal): Promise<void>;
  diff(application: Request, signal: AbortSignal): Promise<ResourceDiff[]>;
  tree(application: Request, signal: AbortSignal): Promise<ResourceNode[]>;
}

export function createGitops(options: GitopsOptions): Gitops {
  return new GitopsInCluster(options);
}

/** What managed objects own. */
const ownedTypes: readonly ResourceType[] = [replicaSets, pods, analysisRuns].map(
  ({ group, version, kind, plural, namespaced }) => ({ group, version, kind, plural, namespaced }),
);

class GitopsInCluster implements Gitops {
  readonly #options: GitopsOptions;
  readonly #store: ApplicationStore;
  readonly #targets: TargetStates;
  readonly #live: LiveObjects;
  readonly #observer: Observer;
  readonly #reconciler: ApplicationReconciler;
  readonly #controller: ReturnType<typeof createController>;

  constructor(options: GitopsOptions) {
    const { cluster, informers, source, clock, ids, log } = options;
    this.#options = options;
    this.#store = new ApplicationStore(cluster);
    this.#targets = new TargetStates(source, clock);
    this.#live = new LiveObjects(informers, (instance) => this.#controller.enqueue(applicationOfInstance(instance)));
    const shared = { cluster, clock, live: this.#live, targets: this.#targets };
    this.#observer = new Observer({ ...shared, confirmer: new DifferenceConfirmer(cluster) });
    const events = new EventWriter({ cluster, clock });
    this.#reconciler = new ApplicationReconciler({
      ...shared,
      source,
      events,
      store: this.#store,
      observer: this.#observer,
    });
    this.#controller = createController<Application>({
      name: "applications",
      informers,
      primary: applications,
      watches: [watching(appProjects, ({ metadata }) => this.#applicationsOf(metadata.name))],
      reconcile: (request, signal) => this.#reconciler.reconcile(request, signal),
      clock,
      ids,
      log,
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    await ensureDefaultProject(this.#options.cluster, signal);
    try {
      await this.#controller.run(signal);
    } finally {
      this.#live[Symbol.dispose]();
    }
  }

  notifyPush(repository: string, ref: string, sha: string): void {
    const { source, informers, log } = this.#options;
    this.#targets.forget((repoURL) => source.matches(repoURL, repository));
    const concerned = informers
      .for(applications)
      .list()
      .filter(({ spec }) => spec.source !== undefined && source.matches(spec.source.repoURL, repository));
    log.debug("Push refreshes applications", { repository, ref, sha, applications: concerned.length });
    for (const application of concerned) this.refresh(requestOf(application));
  }

  refresh(application: Request): void {
    this.#reconciler.requestRefresh(application);
    this.#controller.enqueue(application);
  }

  async sync(request: Request, { username, ...sync }: SyncRequest, signal: AbortSignal): Promise<void> {
    const application = await this.#free(request, signal);
    const { retry } = application.spec.syncPolicy ?? {};
    await this.#ask(application, sync, { ...(retry && { retry }) }, username, signal);
  }

  async rollback(request: Request, historyId: number, signal: AbortSignal): Promise<void> {
    const application = await this.#free(request, signal);
    const automated = application.spec.syncPolicy?.automated;
    if (automated && automated.enabled !== false) {
      const message = `Cannot roll back "${request.name}" while automated sync is on: revert the commit, or turn automated sync off`;
      throw new GitopsError("gitops/automated", message);
    }
    const entry = application.status?.history?.find(({ id }) => id === historyId);
    if (entry === undefined) {
      const message = `Cannot roll back "${request.name}": its history has no entry ${historyId}`;
      throw new GitopsError("gitops/unknown-history", message);
    }
    const source = entry.source ?? application.spec.source;
    const sync: SyncOperation = {
      revision: entry.revision,
      prune: true,
      syncStrategy: { apply: {} },
      ...(source && { source }),
    };
    await this.#ask(application, sync, {}, undefined, signal);
  }

  async diff(request: Request, signal: AbortSignal): Promise<ResourceDiff[]> {
    const application = await this.#get(request, signal);
    const { finding } = await this.#observer.observe(application, noRefresh, signal);
    if (finding.unknown) {
      const message = finding.conditions.map((entry) => entry.message).join("; ");
      throw new GitopsError("gitops/not-compared", `Cannot compare "${request.name}": ${message}`);
    }
    return resourceDiffs(finding.comparison.objects);
  }

  async tree(request: Request, signal: AbortSignal): Promise<ResourceNode[]> {
    const application = await this.#get(request, signal);
    const informers = ownedTypes.map((type) => this.#options.informers.for<AnyObject>(type));
    await Promise.all(informers.map((informer) => informer.synced()));
    const { finding } = await this.#observer.observe(application, noRefresh, signal);
    return resourceTree(finding.comparison.objects, (uid) => informers.flatMap((informer) => informer.ownedBy(uid)));
  }

  #applicationsOf(project: string): Request[] {
    const all = this.#options.informers.for(applications).list();
    return all.filter(({ spec }) => (spec.project || "default") === project).map(requestOf);
  }

  async #get(request: Request, signal: AbortSignal): Promise<Application> {
    const application = await this.#store.get(request, signal);
    if (application !== undefined) return application;
    throw new GitopsError(
      "gitops/not-found",
      `There is no application "${request.name}" in namespace "${request.namespace}"`,
    );
  }

  /** The Application, if an operation may begin. */
  async #free(request: Request, signal: AbortSignal): Promise<Application> {
    const application = await this.#get(request, signal);
    if (application.metadata.deletionTimestamp !== undefined) {
      throw new GitopsError("gitops/deleting", `Application "${request.name}" is being deleted`);
    }
    if (application.operation || isRunning(application.status?.operationState)) {
      const message = `Another operation of "${request.name}" is in progress: wait for it, or terminate it`;
      throw new GitopsError("gitops/operation-in-progress", message);
    }
    return application;
  }

  async #ask(
    application: Application,
    sync: SyncOperation,
    more: Pick<Operation, "retry">,
    username: string | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const syncOptions = sync.syncOptions ?? application.spec.syncPolicy?.syncOptions;
    const operation: Operation = {
      ...more,
      sync: { ...sync, ...(syncOptions && { syncOptions }) },
      ...(username === undefined ? {} : { initiatedBy: { username } }),
    };
    await this.#store.requestOperation(application, operation, signal);
  }
}

function requestOf({ metadata }: Application): Request {
  return { namespace: metadata.namespace ?? "", name: metadata.name };
}
