/**
 * Runs one pod: places it, observes, plans, acts, and waits until something about the pod changes. What takes long
 * (pulling, starting, stopping) goes on beside the loop, so that the plan always sees the present.
 *
 * Nothing here needs to survive: after a restart of the control process the runtime's records and the pod's status say
 * all that the plan wants to know.
 */
import { type Pod, pods } from "#api";
import { deepEqual, isAbort, TaskGroup, Wake } from "#lib";
import { isKubeError } from "#kube";
import type { PodNetwork } from "../ports.ts";
import { bindPod, PlaceError, writeUnscheduled } from "./bind-pod.ts";
import { ContainerActs, runningPod } from "./container-acts.ts";
import { LastWords } from "./last-words.ts";
import { hostIp, type NodeContext, tell } from "./node-context.ts";
import { deadlinePassed, type PodAction, type PodObserved, planPod } from "./plan-pod.ts";
import { PodProbes } from "./pod-probes.ts";
import { podStatus } from "./pod-status.ts";
import { identityOf } from "./pod-fields.ts";
import { placeOf } from "./start-container.ts";
import { statusPatch, withOwnStatus } from "./status-patch.ts";
import { readsItself, VolumeWriter } from "./volume-writer.ts";

/** After something failed that should not. */
const retryMs = 1000;
const gatedMessage = "Scheduling is blocked due to non-empty scheduling gates";
const expiredMessage = "Pod was active on the node longer than the specified deadline";

export class PodWorker {
  readonly #context: NodeContext;
  readonly #uid: string;
  readonly #wake = new Wake();
  readonly #probes: PodProbes;
  readonly #volumes: VolumeWriter;
  readonly #acts: ContainerActs;
  readonly #lastWords: LastWords;
  /** What was told once: attempts in back-off, why it is not placed. */
  readonly #told = new Set<string>();
  #last: Pod;
  #network: PodNetwork | undefined;
  #unrouted: PodObserved["unrouted"] = "no";
  #written: Pod["status"];
  #finishing = false;
  #finished = false;

  constructor(context: NodeContext, pod: Pod) {
    this.#context = context;
    this.#uid = pod.metadata.uid ?? "";
    this.#last = pod;
    this.#probes = new PodProbes(context, () => this.#wake.notify());
    this.#volumes = new VolumeWriter(context);
    this.#lastWords = new LastWords(context.runtime);
    this.#acts = new ContainerActs(context, {
      pod: () => this.#last,
      network: () => this.#network,
      placed: (network) => (this.#network = network),
      volumes: this.#volumes,
      notify: () => this.#wake.notify(),
    });
  }

  /** The pod, its containers or what it refers to may have changed. */
  notify(): void {
    this.#wake.notify();
  }

  /** Pods that wait for a place look again: the node, its pods or volumes changed. */
  roomChanged(): void {
    if ((this.#last.spec.nodeName ?? "") === "") this.#wake.notify();
  }

  /** What pods here refer to changed: volumes follow, and who waited for it tries again. One without a place has neither. */
  configurationChanged(namespace: string): void {
    if (this.#last.metadata.namespace !== namespace || (this.#last.spec.nodeName ?? "") === "") return;
    this.#acts.configurationChanged();
    this.#volumes.markStale();
    this.#wake.notify();
  }

  /** Runs the pod until it is gone or the signal aborts; on abort its containers run on. */
  async run(signal: AbortSignal): Promise<void> {
    const { log, scheduler } = this.#context;
    await using tasks = new TaskGroup((error, task) =>
      log.error("Pod task failed", { pod: this.#last.metadata.name, task, error }),
    );
    const stop = (): void => this.#wake.notify();
    signal.addEventListener("abort", stop, { once: true });
    try {
      while (!signal.aborted && !this.#finished) await this.#step(tasks, signal);
    } finally {
      signal.removeEventListener("abort", stop);
      scheduler.settle(this.#uid);
      await this.#probes[Symbol.asyncDispose]();
    }
  }

  async #step(tasks: TaskGroup, signal: AbortSignal): Promise<void> {
    let wakeAtMs: number | undefined;
    try {
      wakeAtMs = await this.#advance(tasks, signal);
    } catch (error) {
      if (signal.aborted && isAbort(error)) return;
      const lostRace = isKubeError(error, "Conflict") || isKubeError(error, "NotFound");
      if (!lostRace) this.#context.log.warn("Pod step failed", { pod: this.#last.metadata.name, error });
      wakeAtMs = this.#nowMs() + retryMs;
    }
    if (this.#finished || signal.aborted) return;
    using _timer =
      wakeAtMs === undefined ? undefined : this.#context.clock.schedule(wakeAtMs - this.#nowMs(), () => this.notify());
    await this.#wake.wait(signal).catch(() => {});
  }

  /** One round; returns when to come back at the latest. */
  async #advance(tasks: TaskGroup, signal: AbortSignal): Promise<number | undefined> {
    const pod = this.#present();
    if (pod?.metadata.deletionTimestamp !== undefined || pod === undefined) this.#acts.abandonStarts();
    if (pod === undefined) return await this.#vanish(signal);
    this.#follow(pod);
    if (!(await this.#isPlaced(pod, tasks, signal))) return undefined;
    if (this.#network !== undefined) {
      await this.#volumes.update(runningPod(this.#context, pod), placeOf(this.#context, this.#network), signal);
    }
    await this.#lastWords.read(pod, this.#context.runtime.list(this.#uid), signal);
    this.#probes.keep(this.#last, this.#context.runtime.list(this.#uid), (record) => this.#acts.target(record));
    // No waiting between looking and acting: what was seen must still hold.
    const observed = this.#observe();
    const { actions, wakeAtMs } = planPod(observed);
    for (const action of actions) if (action.kind !== "finish") this.#act(action, tasks);
    if (deadlinePassed(observed)) this.#tellOnce(tasks, "deadline", "Normal", "DeadlineExceeded", expiredMessage);
    await this.#writeStatus(observed, signal);
    // Whoever watches the pod sees how it ended before it is gone.
    for (const action of actions) if (action.kind === "finish") this.#act(action, tasks);
    const wakes = [wakeAtMs, this.#volumes.refreshAtMs].filter((atMs) => atMs !== undefined);
    return wakes.length === 0 ? undefined : Math.min(...wakes);
  }

  #present(): Pod | undefined {
    const { namespace = "", name } = this.#last.metadata;
    const pod = this.#context.pods.get(namespace, name);
    return pod?.metadata.uid === this.#uid ? pod : undefined;
  }

  #follow(pod: Pod): void {
    const { labels, annotations } = this.#last.metadata;
    const same = deepEqual(labels, pod.metadata.labels) && deepEqual(annotations, pod.metadata.annotations);
    if (!same && readsItself(pod)) this.#volumes.markStale();
    this.#last = pod;
  }

  /** False when there is nothing more to do for it now: it waits for a place, or is another node's. */
  async #isPlaced(pod: Pod, tasks: TaskGroup, signal: AbortSignal): Promise<boolean> {
    const { nodeName, scheduler } = this.#context;
    const bound = pod.spec.nodeName ?? "";
    const isOurs = bound === nodeName || this.#network !== undefined;
    if (pod.metadata.deletionTimestamp !== undefined) {
      // No node agent but this one could ever confirm the end of what runs nowhere.
      if (!isOurs) this.#act({ kind: "finish" }, tasks);
      return isOurs;
    }
    if (!isOurs && (bound !== "" || !scheduler.isFor(pod))) return false;
    if (!isOurs && !(await this.#findsPlace(pod, tasks, signal))) return false;
    if (this.#network !== undefined) return true;
    try {
      this.#network = await bindPod(this.#context, pod, signal);
      if (bound === "") await this.#tellScheduled(pod, signal);
      return true;
    } catch (error) {
      if (!(error instanceof PlaceError)) throw error;
      this.#tellOnce(tasks, error.message, "Warning", "FailedCreatePodSandBox", error.message);
      return false;
    }
  }

  async #tellScheduled(pod: Pod, signal: AbortSignal): Promise<void> {
    const { namespace = "", name } = pod.metadata;
    const message = `Successfully assigned ${namespace}/${name} to ${this.#context.nodeName}`;
    await tell(this.#context, pod, "Normal", "Scheduled", message, signal);
  }

  async #findsPlace(pod: Pod, tasks: TaskGroup, signal: AbortSignal): Promise<boolean> {
    const placement = this.#context.scheduler.place(pod);
    if (placement.kind === "fits") return true;
    if (placement.kind === "gated") {
      await writeUnscheduled(this.#context, pod, { reason: "SchedulingGated", message: gatedMessage }, signal);
      return false;
    }
    const { message } = placement;
    this.#tellOnce(tasks, message, "Warning", "FailedScheduling", message);
    await writeUnscheduled(this.#context, pod, { reason: "Unschedulable", message }, signal);
    return false;
  }

  /** Somebody took the pod away without asking us first (grace 0). */
  async #vanish(signal: AbortSignal): Promise<undefined> {
    // A start that is under way would leave a container behind; it wakes us when it is done.
    if (this.#acts.starting.size > 0) return;
    await this.#context.runtime.removePod(this.#uid, signal);
    this.#finished = true;
  }

  #observe(): PodObserved {
    return {
      // Our own last status may be newer than the cache's.
      pod: withOwnStatus(this.#last, this.#written),
      nowMs: this.#nowMs(),
      records: this.#context.runtime.list(this.#uid),
      failures: this.#acts.failures,
      probes: this.#probes.verdicts,
      lastWords: this.#lastWords.all,
      starting: this.#acts.starting,
      stopping: this.#acts.stopping,
      unrouted: this.#unrouted,
    };
  }

  #nowMs(): number {
    return this.#context.clock.now().epochMilliseconds;
  }

  async #writeStatus(observed: PodObserved, signal: AbortSignal): Promise<void> {
    const { runtime, cluster } = this.#context;
    const known = this.#network?.provisional === true ? undefined : this.#network?.ip;
    const podIp = known ?? observed.pod.status?.podIP;
    const status = podStatus(observed, { runtimeName: runtime.name, hostIp, podIp });
    if (deepEqual(status, observed.pod.status)) return;
    const { namespace = "", name } = observed.pod.metadata;
    // The uid keeps a late status from a newer pod of the same name.
    const patch = { metadata: { uid: this.#uid }, status: statusPatch(status) };
    const options = { signal, subresource: "status", fieldManager: "kubelet" } as const;
    await cluster.patch(pods, { namespace, name }, { type: "strategic", patch }, options);
    this.#written = status;
  }

  #act(action: PodAction, tasks: TaskGroup): void {
    switch (action.kind) {
      case "start":
        this.#acts.start(action, tasks);
        return;
      case "stop":
        this.#acts.stop(action, tasks);
        return;
      case "backOff": {
        const { namespace, name } = this.#last.metadata;
        const message = `Back-off restarting failed container ${action.record.name} in pod ${name}_${namespace}(${this.#uid})`;
        this.#tellOnce(tasks, action.record.id, "Warning", "BackOff", message);
        return;
      }
      case "unroute":
        this.#unrouted = "waiting";
        tasks.start("unroute", (signal) => this.#unroute(signal));
        return;
      case "forget":
        tasks.start("forget", (signal) => this.#context.runtime.removeContainer(action.record.id, signal));
        return;
      case "finish":
        if (this.#finishing) return;
        this.#finishing = true;
        tasks.start("finish", (signal) => this.#finish(signal));
    }
  }

  #tellOnce(tasks: TaskGroup, key: string, type: "Normal" | "Warning", reason: string, message: string): void {
    if (this.#told.has(key)) return;
    this.#told.add(key);
    const pod = this.#last;
    tasks.start("event", (signal) => tell(this.#context, pod, type, reason, message, signal));
  }

  async #unroute(signal: AbortSignal): Promise<void> {
    const { gate, clock, log, unrouteMs } = this.#context;
    const limit = new AbortController();
    using _timer = clock.schedule(unrouteMs, () => limit.abort());
    try {
      await gate.awaitUnrouted(identityOf(this.#last), AbortSignal.any([signal, limit.signal]));
    } catch (error) {
      signal.throwIfAborted();
      log.warn("Stopping a pod that the routers did not let go of in time", { pod: this.#last.metadata.name, error });
    }
    this.#unrouted = "yes";
    this.#wake.notify();
  }

  async #finish(signal: AbortSignal): Promise<void> {
    const { namespace = "", name } = this.#last.metadata;
    try {
      const preconditions = { uid: this.#uid };
      await this.#context.cluster.delete(pods, { namespace, name }, { gracePeriodSeconds: 0, preconditions, signal });
    } catch (error) {
      if (isKubeError(error, "NotFound") || isKubeError(error, "Conflict")) return;
      signal.throwIfAborted();
      this.#context.log.error("Cannot remove an ended pod, trying again", { pod: name, error });
      await this.#context.clock.sleep(retryMs, signal);
      this.#finishing = false;
      this.#wake.notify();
    }
  }
}
