/**
 * Starting and stopping a pod's containers, which takes long and goes on beside the pod's loop. What is under way and
 * what failed is here, for the plan to see.
 */
import { type Pod, reachablePort } from "#api";
import type { TaskGroup } from "#lib";
import type { ContainerRecord, ContainerToStart, PodNetwork } from "../ports.ts";
import { withAccountVolume } from "./account-volume.ts";
import { bindPod } from "./bind-pod.ts";
import { type NodeContext, tell } from "./node-context.ts";
import type { PodAction, StartFailure, StopAction } from "./plan-pod.ts";
import { accountOf } from "./pod-fields.ts";
import type { ProbeTarget } from "./probe-target.ts";
import { resolvePort } from "./resolve-port.ts";
import { backOffMs } from "./restart.ts";
import { startContainer } from "./start-container.ts";
import { findContainer, runHook, stopContainer, tellHook } from "./stop-container.ts";
import type { VolumeWriter } from "./volume-writer.ts";

type StartAction = Extract<PodAction, { kind: "start" }>;

/** The pod as its worker knows it now. */
export interface PodView {
  readonly pod: () => Pod;
  readonly network: () => PodNetwork | undefined;
  readonly placed: (network: PodNetwork) => void;
  readonly volumes: VolumeWriter;
  /** Something is done: look again. */
  readonly notify: () => void;
}

/** After something failed that should not. */
const retryMs = 1000;
/** A postStart hook has no limit of its own upstream; ours ends with the pod, or after an hour. */
const postStartLimitMs = 3_600_000;

interface Stopping {
  readonly graceMs: number;
  readonly replaced: AbortController;
}

export class ContainerActs {
  readonly failures = new Map<string, StartFailure>();
  readonly starting = new Set<string>();
  readonly #stopping = new Map<string, Stopping>();
  readonly #context: NodeContext;
  readonly #view: PodView;
  /** Ends what is being pulled or started for a pod that is to go. */
  readonly #abandoned = new AbortController();

  constructor(context: NodeContext, view: PodView) {
    this.#context = context;
    this.#view = view;
  }

  /** By container id, the grace that each was given. */
  get stopping(): ReadonlyMap<string, number> {
    return new Map([...this.#stopping].map(([id, { graceMs }]) => [id, graceMs]));
  }

  /** Who waited for a ConfigMap, a Secret, a volume may try again. */
  configurationChanged(): void {
    for (const [name, failure] of this.failures) if (failure.ofConfiguration) this.failures.delete(name);
  }

  abandonStarts(): void {
    this.#abandoned.abort();
  }

  start(action: StartAction, tasks: TaskGroup): void {
    this.starting.add(action.container.name);
    tasks.start("start", async (stop) => {
      const signal = AbortSignal.any([stop, this.#abandoned.signal]);
      try {
        await this.#start(action, signal);
      } catch (error) {
        if (!signal.aborted) throw error;
      } finally {
        this.starting.delete(action.container.name);
        this.#view.notify();
      }
    });
  }

  /** A second one for the same container, with less grace, takes the place of the first. */
  stop(action: StopAction, tasks: TaskGroup): void {
    const { id } = action.record;
    const before = this.#stopping.get(id);
    const own: Stopping = { graceMs: action.graceMs, replaced: new AbortController() };
    this.#stopping.set(id, own);
    before?.replaced.abort();
    tasks.start("stop", async (signal) => {
      await this.#stop(action, before === undefined, AbortSignal.any([signal, own.replaced.signal]));
      if (this.#stopping.get(id) !== own) return;
      this.#stopping.delete(id);
      this.#view.notify();
    });
  }

  target(record: ContainerRecord): ProbeTarget {
    const pod = this.#view.pod();
    const own = findContainer(pod, record.name);
    return {
      record,
      runtime: this.#context.runtime,
      host: this.#view.network()?.ip ?? pod.status?.podIP ?? "127.0.0.1",
      port: (port) => {
        const wanted = resolvePort(own === undefined ? [] : [own], port);
        if (wanted === undefined) return undefined;
        return this.#view.network()?.ports[String(wanted)] ?? reachablePort(this.#view.pod(), wanted);
      },
    };
  }

  async #start(action: StartAction, signal: AbortSignal): Promise<void> {
    const { attempt, streak } = action;
    const pod = runningPod(this.#context, this.#view.pod());
    const container = findContainer(pod, action.container.name) ?? action.container;
    // Between two runs of a container another program may have taken its port.
    const network = await bindPod(this.#context, this.#view.pod(), signal);
    this.#view.placed(network);
    const settle = async (image: ContainerToStart["image"]): Promise<PodNetwork> => {
      const settled = await bindPod(this.#context, this.#view.pod(), signal, image);
      this.#view.placed(settled);
      return settled;
    };
    const input = { pod, container, attempt, streak, network, settle, volumes: this.#view.volumes };
    const result = await startContainer(this.#context, input, signal);
    if (result.kind === "started") {
      this.failures.delete(container.name);
      await this.#postStart(pod, result.record, signal);
      return;
    }
    const count = (this.failures.get(container.name)?.count ?? 0) + 1;
    const failure = failureOf(result, container.image, count, this.#context.clock.now().epochMilliseconds);
    if (failure.reason === "ImagePullBackOff") await this.#tellPullBackOff(pod, container.image, signal);
    this.failures.set(container.name, failure);
  }

  async #tellPullBackOff(pod: Pod, image: string, signal: AbortSignal): Promise<void> {
    await tell(this.#context, pod, "Normal", "BackOff", `Back-off pulling image "${image}"`, signal);
    await tell(this.#context, pod, "Warning", "Failed", "Error: ImagePullBackOff", signal);
  }

  async #stop(action: StopAction, isFirst: boolean, signal: AbortSignal): Promise<void> {
    const { record, graceMs, message, after } = action;
    const pod = this.#view.pod();
    try {
      if (isFirst) await tell(this.#context, pod, "Normal", "Killing", message, signal);
      const turn = (limit: AbortSignal): Promise<void> => this.#turn(after, limit);
      await stopContainer(this.#context, { pod, target: this.target(record), graceMs, turn }, signal);
    } catch (error) {
      if (signal.aborted) return;
      this.#context.log.error("Cannot stop a container, trying again", { container: record.id, error });
      await this.#context.clock.sleep(retryMs, signal).catch(() => {});
    }
  }

  /** Until none of the named containers runs. */
  async #turn(names: readonly string[], signal: AbortSignal): Promise<void> {
    const { runtime } = this.#context;
    const uid = this.#view.pod().metadata.uid ?? "";
    const runs = (): boolean =>
      runtime.list(uid).some(({ name, state }) => names.includes(name) && state.kind === "running");
    if (!runs()) return;
    for await (const { podUid } of runtime.events.subscribe(signal)) if (podUid === uid && !runs()) return;
  }

  async #postStart(pod: Pod, record: ContainerRecord, signal: AbortSignal): Promise<void> {
    const hook = findContainer(pod, record.name)?.lifecycle?.postStart;
    if (hook === undefined) return;
    const target = this.target(record);
    const failure = await runHook(this.#context, target, hook, postStartLimitMs, signal);
    if (failure === undefined) return;
    await tellHook(this.#context, pod, "PostStart", failure, signal);
    await tell(this.#context, pod, "Normal", "Killing", "FailedPostStartHook", signal);
    const graceMs = (pod.spec.terminationGracePeriodSeconds ?? 30) * 1000;
    await stopContainer(this.#context, { pod, target, graceMs, turn: () => Promise.resolve() }, signal);
  }
}

/** The pod with what the node adds to it. */
export function runningPod({ serviceAccounts }: NodeContext, pod: Pod): Pod {
  return withAccountVolume(pod, serviceAccounts.get(pod.metadata.namespace ?? "", accountOf(pod)));
}

const ofConfiguration: ReadonlySet<string> = new Set(["CreateContainerConfigError", "FailedMount"]);

function failureOf(
  { reason, message }: { readonly reason: string; readonly message: string },
  image: string,
  count: number,
  nowMs: number,
): StartFailure {
  const waits = ofConfiguration.has(reason);
  // What a volume lacks may also come without any object of ours changing: a folder of the machine, say.
  const retryAtMs = reason === "CreateContainerConfigError" ? Infinity : nowMs + backOffMs(count);
  if (reason !== "ErrImagePull" || count === 1) return { reason, message, retryAtMs, count, ofConfiguration: waits };
  const backOff = `Back-off pulling image "${image}": ErrImagePull: ${message}`;
  return { reason: "ImagePullBackOff", message: backOff, retryAtMs, count, ofConfiguration: waits };
}
