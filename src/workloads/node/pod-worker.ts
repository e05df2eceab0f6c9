/**
 * Runs one pod: observes, plans, acts, and waits until something about the pod changes. What takes long (pulling,
 * starting, stopping) goes on beside the loop, so that the plan always sees the present.
 *
 * Nothing here needs to survive: after a restart of the control process the runtime's records and the pod's status say
 * all that the plan wants to know.
 */
import { type Pod, pods, reachablePort } from "#api";
import { deepEqual, isAbort, TaskGroup, Wake } from "#lib";
import { isKubeError } from "#kube";
import type { ContainerRecord, PodNetwork } from "../ports.ts";
import { bindPod } from "./bind-pod.ts";
import { type NodeContext, tell } from "./node-context.ts";
import { type PodAction, type PodObserved, planPod, type StartFailure } from "./plan-pod.ts";
import { PodProbes } from "./pod-probes.ts";
import { podStatus } from "./pod-status.ts";
import { backOffMs } from "./restart.ts";
import { identityOf, startContainer, writeVolumes } from "./start-container.ts";
import { resolvePort } from "./resolve-port.ts";
import type { ProbeTarget } from "./run-probe.ts";
import { runHook, stopContainer } from "./stop-container.ts";

/** After something failed that should not. */
const retryMs = 1000;

export class PodWorker {
  readonly #context: NodeContext;
  readonly #uid: string;
  readonly #wake = new Wake();
  readonly #failures = new Map<string, StartFailure>();
  readonly #probes: PodProbes;
  readonly #starting = new Set<string>();
  readonly #stopping = new Set<string>();
  /** Ends what is being pulled or started for a pod that is to go. */
  readonly #abandon = new AbortController();
  #last: Pod;
  #network: PodNetwork | undefined;
  #unrouted: PodObserved["unrouted"] = "no";
  #written: Pod["status"];
  #staleVolumes = false;
  #finishing = false;
  #finished = false;

  constructor(context: NodeContext, pod: Pod) {
    this.#context = context;
    this.#uid = pod.metadata.uid ?? "";
    this.#last = pod;
    this.#probes = new PodProbes(context, () => this.#wake.notify());
  }

  /** The pod, its containers or what it refers to may have changed. */
  notify(): void {
    this.#wake.notify();
  }

  /** A ConfigMap or Secret of the namespace changed: volumes follow, and who waited for it tries again. */
  configurationChanged(): void {
    for (const [name, failure] of this.#failures) if (failure.ofConfiguration) this.#failures.delete(name);
    this.#staleVolumes = (this.#last.spec.volumes ?? []).some(({ configMap, secret }) => configMap ?? secret);
    this.#wake.notify();
  }

  /** Runs the pod until it is gone or the signal aborts; on abort its containers run on. */
  async run(signal: AbortSignal): Promise<void> {
    const { log } = this.#context;
    await using tasks = new TaskGroup((error, task) =>
      log.error("Pod task failed", { pod: this.#last.metadata.name, task, error }),
    );
    const stop = (): void => this.#wake.notify();
    signal.addEventListener("abort", stop, { once: true });
    try {
      while (!signal.aborted && !this.#finished) await this.#step(tasks, signal);
    } finally {
      signal.removeEventListener("abort", stop);
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
    if (pod?.metadata.deletionTimestamp !== undefined || pod === undefined) this.#abandon.abort();
    if (pod === undefined) return await this.#vanish(signal);
    this.#last = pod;
    if (this.#network === undefined && pod.metadata.deletionTimestamp === undefined) {
      this.#network = await bindPod(this.#context, pod, signal);
    }
    if (this.#staleVolumes && this.#network !== undefined) {
      this.#staleVolumes = false;
      await writeVolumes(this.#context, pod, signal);
    }
    this.#probes.keep(this.#last, this.#context.runtime.list(this.#uid), (record) => this.#target(record));
    // No waiting between looking and acting: what was seen must still hold.
    const observed = this.#observe();
    const { actions, wakeAtMs } = planPod(observed);
    for (const action of actions) if (action.kind !== "finish") this.#act(action, tasks);
    await this.#writeStatus(observed, signal);
    // Whoever watches the pod sees how it ended before it is gone.
    for (const action of actions) if (action.kind === "finish") this.#act(action, tasks);
    return wakeAtMs;
  }

  #present(): Pod | undefined {
    const { namespace = "", name } = this.#last.metadata;
    const pod = this.#context.pods.get(namespace, name);
    return pod?.metadata.uid === this.#uid ? pod : undefined;
  }

  /** Somebody took the pod away without asking us first (grace 0). */
  async #vanish(signal: AbortSignal): Promise<undefined> {
    // A start that is under way would leave a container behind; it wakes us when it is done.
    if (this.#starting.size > 0) return;
    await this.#context.runtime.removePod(this.#uid, signal);
    this.#finished = true;
  }

  #observe(): PodObserved {
    return {
      // Our own last status may be newer than the cache's.
      pod: { ...this.#last, ...(this.#written === undefined ? {} : { status: this.#written }) },
      nowMs: this.#nowMs(),
      records: this.#context.runtime.list(this.#uid),
      failures: this.#failures,
      probes: this.#probes.verdicts,
      starting: this.#starting,
      stopping: this.#stopping,
      unrouted: this.#unrouted,
    };
  }

  #nowMs(): number {
    return this.#context.clock.now().epochMilliseconds;
  }

  async #writeStatus(observed: PodObserved, signal: AbortSignal): Promise<void> {
    const { runtime, cluster } = this.#context;
    const facts = {
      runtimeName: runtime.name,
      hostIp: "127.0.0.1",
      podIp: this.#network?.ip ?? observed.pod.status?.podIP,
    };
    const status = podStatus(observed, facts);
    if (deepEqual(status, observed.pod.status)) return;
    const { namespace = "", name } = observed.pod.metadata;
    // The uid keeps a late status from a newer pod of the same name.
    const patch = { metadata: { uid: this.#uid }, status };
    await cluster.patch(
      pods,
      { namespace, name },
      { type: "merge", patch },
      { signal, subresource: "status", fieldManager: "kubelet" },
    );
    this.#written = status;
  }

  #act(action: PodAction, tasks: TaskGroup): void {
    switch (action.kind) {
      case "start":
        this.#starting.add(action.container.name);
        tasks.start("start", (signal) => this.#start(action, AbortSignal.any([signal, this.#abandon.signal])));
        return;
      case "stop":
        this.#stopping.add(action.record.id);
        tasks.start("stop", async (signal) => {
          await this.#stop(action, signal);
        });
        return;
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

  async #start(action: Extract<PodAction, { kind: "start" }>, signal: AbortSignal): Promise<void> {
    try {
      await this.#tryStart(action, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.#starting.delete(action.container.name);
      this.#wake.notify();
    }
  }

  async #tryStart(action: Extract<PodAction, { kind: "start" }>, signal: AbortSignal): Promise<void> {
    const { container, attempt, streak } = action;
    const pod = this.#last;
    // Between two runs of a container another program may have taken its port.
    const network = await bindPod(this.#context, pod, signal);
    this.#network = network;
    const result = await startContainer(this.#context, { pod, container, attempt, streak, network }, signal);
    if (result.kind === "started") {
      this.#failures.delete(container.name);
      await this.#postStart(result.record, signal);
      return;
    }
    const count = (this.#failures.get(container.name)?.count ?? 0) + 1;
    const ofConfiguration = result.reason === "CreateContainerConfigError";
    const retryAtMs = ofConfiguration ? Infinity : this.#nowMs() + backOffMs(count);
    const again = result.reason === "ErrImagePull" && count > 1;
    const reason = again ? "ImagePullBackOff" : result.reason;
    const message = again ? `Back-off pulling image "${container.image}": ${result.message}` : result.message;
    this.#failures.set(container.name, { reason, message, retryAtMs, count, ofConfiguration });
  }

  async #stop(action: Extract<PodAction, { kind: "stop" }>, signal: AbortSignal): Promise<void> {
    const { record, graceMs, message } = action;
    try {
      await tell(this.#context, this.#last, "Normal", "Killing", message, signal);
      await stopContainer(this.#context, this.#last, this.#target(record), graceMs, signal);
    } catch (error) {
      signal.throwIfAborted();
      this.#context.log.error("Cannot stop a container, trying again", { container: record.id, error });
      await this.#context.clock.sleep(retryMs, signal);
    } finally {
      this.#stopping.delete(record.id);
      this.#wake.notify();
    }
  }

  async #postStart(record: ContainerRecord, signal: AbortSignal): Promise<void> {
    const pod = this.#last;
    const hook = pod.spec.containers.find(({ name }) => name === record.name)?.lifecycle?.postStart;
    if (hook === undefined) return;
    const target = this.#target(record);
    const failure = await runHook(this.#context, target, hook, 3_600_000, signal);
    if (failure === undefined) return;
    await tell(this.#context, pod, "Warning", "FailedPostStartHook", failure, signal);
    const graceMs = (pod.spec.terminationGracePeriodSeconds ?? 30) * 1000;
    await stopContainer(this.#context, pod, target, graceMs, signal);
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

  #target(record: ContainerRecord): ProbeTarget {
    const pod = this.#last;
    const own = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].filter(({ name }) => name === record.name);
    return {
      record,
      runtime: this.#context.runtime,
      host: this.#network?.ip ?? pod.status?.podIP ?? "127.0.0.1",
      port: (port) => {
        const wanted = resolvePort(own, port);
        if (wanted === undefined) return undefined;
        return this.#network?.ports[String(wanted)] ?? reachablePort(this.#last, wanted);
      },
    };
  }
}
