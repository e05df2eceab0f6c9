/** What changed, for open consoles: one stream a browser, a notice a change, equal notices within a moment sent once. */
import {
  type AnalysisRun,
  analysisRuns,
  applications,
  type ChangeNotice,
  controllerOf,
  type KubeObject,
  pods,
  replicaSets,
  rollouts,
} from "#api";
import { Channel, type Clock } from "#lib";
import type { Informers } from "#controller";

/** Long enough to fold the several writes of one reconcile, short enough that nobody sees it. */
const foldMs = 50;

export class ChangeFeed {
  readonly #channel = new Channel<ChangeNotice>();
  readonly #clock: Clock;
  readonly #folding = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  notify(topic: ChangeNotice["topic"], key?: string): void {
    const notice: ChangeNotice = key === undefined ? { topic } : { topic, key };
    const id = JSON.stringify(notice);
    if (this.#folding.has(id)) return;
    this.#folding.add(id);
    this.#clock.schedule(foldMs, () => {
      this.#folding.delete(id);
      this.#channel.send(notice);
    });
  }

  subscribe(signal: AbortSignal): AsyncIterableIterator<ChangeNotice> & Disposable {
    return this.#channel.subscribe(signal);
  }

  close(): void {
    this.#channel.close();
  }

  /** Notices for the objects that pages show. */
  follow(informers: Informers): Disposable {
    const stack = new DisposableStack();
    const rolloutChanged = (namespace: string, name: string): void => {
      this.notify("rollouts", `${namespace}/${name}`);
      this.notify("deliveries");
    };
    stack.use(informers.for(applications).subscribe((event) => this.notify("applications", keyOf(event.object))));
    stack.use(
      informers.for(rollouts).subscribe(({ object }) => {
        rolloutChanged(object.metadata.namespace ?? "", object.metadata.name);
        this.notify("applications");
      }),
    );
    stack.use(informers.for(analysisRuns).subscribe(({ object }) => this.#analysis(object, rolloutChanged)));
    stack.use(
      informers.for(replicaSets).subscribe(({ object }) => {
        const owner = controllerOf(object);
        if (owner?.kind === "Rollout") rolloutChanged(object.metadata.namespace ?? "", owner.name);
      }),
    );
    stack.use(informers.for(pods).subscribe(() => this.notify("applications")));
    return stack;
  }

  #analysis(run: AnalysisRun, changed: (namespace: string, name: string) => void): void {
    const owner = controllerOf(run);
    if (owner?.kind === "Rollout") changed(run.metadata.namespace ?? "", owner.name);
  }
}

function keyOf(object: KubeObject): string {
  return `${object.metadata.namespace ?? ""}/${object.metadata.name}`;
}
