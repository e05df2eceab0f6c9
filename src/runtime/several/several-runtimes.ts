/**
 * Several runtimes of one node: each pod has one, by the handler of its RuntimeClass or by the node's own choice, from its
 * first `preparePod` until it is removed. After a restart whoever has the pod has it.
 */
import type { Duplex } from "node:stream";
import { Channel, TaskGroup } from "#lib";
import { RuntimeError } from "../errors.ts";
import type {
  ContainerEvent,
  ContainerRecord,
  ContainerSession,
  ContainerSpec,
  ContainerUsage,
  ExecResult,
  LogOptions,
  PodIdentity,
  PodNetwork,
  PodRuntime,
  PodSandbox,
  PulledImage,
  RegistryLogin,
  SessionOptions,
  VolumeContent,
} from "../pod-runtime.ts";

export interface SeveralRuntimesOptions {
  readonly runtimes: readonly PodRuntime[];
  /** Handler of pods that name none. */
  readonly usual: string;
  readonly onFailure: (error: unknown) => void;
}

export class SeveralRuntimes implements PodRuntime {
  readonly name: string;
  readonly handlers: readonly string[];
  readonly isolation: string;
  readonly events = new Channel<ContainerEvent>();
  readonly #runtimes: readonly PodRuntime[];
  readonly #usual: string;
  readonly #ofPod = new Map<string, PodRuntime>();
  readonly #tasks: TaskGroup;

  constructor({ runtimes, usual, onFailure }: SeveralRuntimesOptions) {
    this.#runtimes = runtimes;
    this.#usual = usual;
    this.handlers = runtimes.flatMap(({ handlers }) => handlers);
    this.isolation = runtimes.map(({ name, isolation }) => `${name}: ${isolation}`).join("; ");
    this.name = this.#withHandler(usual).name;
    this.#tasks = new TaskGroup(onFailure);
    for (const runtime of runtimes) {
      for (const { uid } of runtime.pods()) this.#ofPod.set(uid, runtime);
      this.#tasks.start(`events of ${runtime.name}`, async (signal) => {
        for await (const event of runtime.events.subscribe(signal)) this.events.send(event);
      });
    }
  }

  async pull(
    reference: string,
    options: {
      policy: "Always" | "IfNotPresent" | "Never";
      logins?: readonly RegistryLogin[];
      podUid?: string;
      signal: AbortSignal;
    },
  ): Promise<PulledImage> {
    return await this.#of(options.podUid ?? "").pull(reference, options);
  }

  async preparePod(sandbox: PodSandbox, signal: AbortSignal): Promise<PodNetwork> {
    const { uid } = sandbox.pod;
    const handler = sandbox.handler ?? this.#usual;
    const known = this.#ofPod.get(uid);
    const runtime = known ?? this.#withHandler(handler);
    this.#ofPod.set(uid, runtime);
    return await runtime.preparePod({ ...sandbox, handler }, signal);
  }

  async writeVolume(podUid: string, volume: VolumeContent, signal: AbortSignal): Promise<void> {
    await this.#of(podUid).writeVolume(podUid, volume, signal);
  }

  async startContainer(spec: ContainerSpec, signal: AbortSignal): Promise<ContainerRecord> {
    const runtime = this.#of(spec.pod.uid);
    return { ...(await runtime.startContainer(spec, signal)), runtime: runtime.name };
  }

  async stopContainer(id: string, options: { graceMs: number; signal: AbortSignal }): Promise<void> {
    await this.#of(podUidOf(id)).stopContainer(id, options);
  }

  async exec(
    id: string,
    command: readonly string[],
    options: { timeoutMs: number; signal: AbortSignal },
  ): Promise<ExecResult> {
    return await this.#of(podUidOf(id)).exec(id, command, options);
  }

  async openExec(id: string, command: readonly string[], options: SessionOptions): Promise<ContainerSession> {
    return await this.#of(podUidOf(id)).openExec(id, command, options);
  }

  async attach(id: string, options: SessionOptions): Promise<ContainerSession> {
    return await this.#of(podUidOf(id)).attach(id, options);
  }

  async connect(podUid: string, port: number, signal: AbortSignal): Promise<Duplex> {
    return await this.#of(podUid).connect(podUid, port, signal);
  }

  list(podUid?: string): readonly ContainerRecord[] {
    const asked = podUid === undefined ? this.#runtimes : [this.#of(podUid)];
    return asked
      .flatMap((runtime) => runtime.list(podUid).map((record) => ({ ...record, runtime: runtime.name })))
      .toSorted((a, b) => a.attempt - b.attempt);
  }

  pods(): readonly PodIdentity[] {
    return this.#runtimes.flatMap((runtime) => runtime.pods());
  }

  logs(id: string, options: LogOptions): AsyncIterable<Uint8Array> {
    return this.#of(podUidOf(id)).logs(id, options);
  }

  async terminationMessage(id: string, path: string): Promise<string> {
    return await this.#of(podUidOf(id)).terminationMessage(id, path);
  }

  async usage(signal: AbortSignal): Promise<readonly ContainerUsage[]> {
    return (await Promise.all(this.#runtimes.map((runtime) => runtime.usage(signal)))).flat();
  }

  async removeContainer(id: string, signal: AbortSignal): Promise<void> {
    await this.#of(podUidOf(id)).removeContainer(id, signal);
  }

  async removePod(podUid: string, signal: AbortSignal): Promise<void> {
    await this.#of(podUid).removePod(podUid, signal);
    this.#ofPod.delete(podUid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tasks[Symbol.asyncDispose]();
    await Promise.all(this.#runtimes.map((runtime) => runtime[Symbol.asyncDispose]()));
    this.events.close();
  }

  #of(podUid: string): PodRuntime {
    return this.#ofPod.get(podUid) ?? this.#withHandler(this.#usual);
  }

  #withHandler(handler: string): PodRuntime {
    const found = this.#runtimes.find(({ handlers }) => handlers.includes(handler));
    if (found !== undefined) return found;
    const message = `This node has no runtime "${handler}", it has ${this.#runtimes.flatMap(({ handlers }) => handlers).join(", ")}`;
    throw new RuntimeError("runtime/no-runtime", message);
  }
}

/** See `containerIdOf`. */
function podUidOf(containerId: string): string {
  return containerId.split("_", 1)[0] ?? "";
}
