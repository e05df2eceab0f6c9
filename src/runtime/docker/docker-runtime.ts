/**
 * Pods as containers of a Docker-compatible engine. The engine runs them: they outlive this process and, with an engine
 * that does, the machine's restart. What they are is in their labels (see `labels.ts`), so a process that comes later
 * finds them by asking.
 */
import type { Duplex } from "node:stream";
import { type EngineClient, isEngineStatus } from "#engine";
import { Channel, type Clock, KeyedLock, type Log, TaskGroup, withDeadline } from "#lib";
import { errorMessage } from "#lib";
import { RuntimeError } from "../errors.ts";
import { mountSources } from "../mount-sources.ts";
import {
  type ContainerEvent,
  containerIdOf,
  type ContainerRecord,
  type ContainerSession,
  type ContainerSpec,
  type ContainerUsage,
  type ExecResult,
  type LogOptions,
  type PodIdentity,
  type PodNetwork,
  type PodRuntime,
  type PodSandbox,
  type PulledImage,
  type RegistryLogin,
  type SessionOptions,
  type VolumeContent,
} from "../pod-runtime.ts";
import { collectOutput } from "../collect-output.ts";
import { connectTo } from "../process/session/connect.ts";
import { AbortScope } from "../process/abort-scope.ts";
import { writeVolume } from "../process/volume.ts";
import { checkNonRoot } from "../security.ts";
import { containerRequest, defaultMessagePath } from "./container-request.ts";
import { ContainerTable, type KnownContainer } from "./container-table.ts";
import type { DockerImages } from "./docker-images.ts";
import { type DockerPods, removeContainer } from "./docker-pods.ts";
import { attachTo, execIn } from "./engine-exec.ts";
import { engineLog } from "./engine-log.ts";
import { containerUsage } from "./engine-usage.ts";
import { readMessage } from "./termination-message.ts";
import type { Ids } from "#lib";

export interface DockerRuntimeParts {
  readonly engine: EngineClient;
  readonly installation: string;
  readonly images: DockerImages;
  readonly pods: DockerPods;
  readonly allowPrivileged: boolean;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
}

const killPatienceMs = 15_000;
const maxExecOutput = 16 * 1024;

export class DockerRuntime implements PodRuntime {
  readonly name = "docker";
  readonly handlers = ["docker"];
  readonly isolation = "pods are containers of an engine";
  readonly events = new Channel<ContainerEvent>();
  readonly table: ContainerTable;
  readonly #parts: DockerRuntimeParts;
  readonly #locks = new KeyedLock();
  readonly #tasks: TaskGroup;
  readonly #networks = new Map<string, PodNetwork>();

  constructor(parts: DockerRuntimeParts) {
    this.#parts = parts;
    const { engine, installation, clock, log } = parts;
    this.table = new ContainerTable({ engine, installation, events: this.events, clock, log });
    this.#tasks = new TaskGroup((error, name) => log.error("Docker runtime task failed", { name, error }));
  }

  /** Starts to follow the engine. */
  follow(): void {
    this.#tasks.start("engine events", (signal) => this.table.follow(signal));
  }

  async pull(
    reference: string,
    options: {
      policy: "Always" | "IfNotPresent" | "Never";
      logins?: readonly RegistryLogin[];
      signal: AbortSignal;
    },
  ): Promise<PulledImage> {
    return await this.#parts.images.pull(reference, options.policy, options.logins ?? [], options.signal);
  }

  async preparePod(sandbox: PodSandbox, signal: AbortSignal): Promise<PodNetwork> {
    await this.#parts.images.ensurePause(signal);
    const network = await this.#parts.pods.prepare(sandbox, signal);
    this.#networks.set(sandbox.pod.uid, network);
    return network;
  }

  async writeVolume(podUid: string, volume: VolumeContent): Promise<void> {
    const folder = `${this.#parts.pods.volumesOf(podUid)}/${volume.name}`;
    await this.#locks.run(folder, () => writeVolume(folder, volume, this.#parts.ids));
  }

  async startContainer(spec: ContainerSpec, signal: AbortSignal): Promise<ContainerRecord> {
    const id = containerIdOf(spec.pod.uid, spec.name, spec.attempt);
    return await this.#locks.run(id, async () => {
      const known = this.table.get(id);
      if (known !== undefined) return known.record;
      const engineId = await this.#create(spec, signal);
      try {
        await this.#parts.engine.send("POST", `/containers/${engineId}/start`, { signal });
      } catch (error) {
        // Before a removal that a signal would cut short: nothing of an attempt that did not start stays.
        await removeContainer(this.#parts.engine, engineId, withDeadline(new AbortController().signal, killPatienceMs));
        signal.throwIfAborted();
        throw new RuntimeError(
          "runtime/start-failed",
          `Cannot start container "${spec.name}": ${errorMessage(error)}`,
          {
            cause: error,
          },
        );
      }
      await this.table.refresh(engineId, signal);
      return this.#known(id).record;
    });
  }

  async stopContainer(id: string, options: { graceMs: number; signal: AbortSignal }): Promise<void> {
    const container = this.table.get(id);
    if (container === undefined || container.record.state.kind === "exited") return;
    const { engine } = this.#parts;
    const { engineId } = container;
    if (options.graceMs > 0) {
      await this.#kill(container, container.stopSignal ?? "SIGTERM", options.signal);
      if (await this.#endsWithin(engineId, id, options.graceMs, options.signal)) return;
    }
    await this.#kill(container, "SIGKILL", options.signal);
    if (await this.#endsWithin(engineId, id, killPatienceMs, options.signal)) return;
    await removeContainer(engine, engineId, options.signal);
    throw new RuntimeError(
      "runtime/stop-failed",
      `Cannot stop container "${container.record.name}": it survives SIGKILL`,
    );
  }

  async exec(
    id: string,
    command: readonly string[],
    options: { timeoutMs: number; signal: AbortSignal },
  ): Promise<ExecResult> {
    const signal = withDeadline(options.signal, options.timeoutMs);
    await using session = await this.openExec(id, command, { stdin: false, tty: false, signal });
    return await collectOutput(session, maxExecOutput, signal);
  }

  async openExec(id: string, command: readonly string[], options: SessionOptions): Promise<ContainerSession> {
    return await execIn(this.#parts, this.#running(id), command, options);
  }

  async attach(id: string, options: SessionOptions): Promise<ContainerSession> {
    return await attachTo(this.#parts.engine, this.#running(id), options);
  }

  async connect(podUid: string, port: number, signal: AbortSignal): Promise<Duplex> {
    const network = this.#networks.get(podUid);
    if (network === undefined) {
      throw new RuntimeError("runtime/no-container", `Cannot connect to pod "${podUid}": it has no place here`);
    }
    return await connectTo(network.ip, network.ports[String(port)] ?? port, signal);
  }

  list(podUid?: string): readonly ContainerRecord[] {
    return this.table
      .all()
      .map(({ record }) => record)
      .filter((record) => podUid === undefined || record.pod.uid === podUid)
      .toSorted((a, b) => a.attempt - b.attempt);
  }

  pods(): readonly PodIdentity[] {
    return this.#parts.pods.list();
  }

  logs(id: string, options: LogOptions): AsyncIterable<Uint8Array> {
    const { engineId, tty } = this.#known(id);
    return engineLog(this.#parts.engine, engineId, tty, options);
  }

  async terminationMessage(id: string, path: string): Promise<string> {
    const container = this.table.get(id);
    if (container === undefined) return "";
    const { pod, name, attempt } = container.record;
    const own = path === defaultMessagePath ? this.#parts.pods.messagePath(pod.uid, name, attempt) : undefined;
    return await readMessage(this.#parts.engine, container.engineId, path, own);
  }

  async usage(signal: AbortSignal): Promise<readonly ContainerUsage[]> {
    const running = this.table.all().filter(({ record }) => record.state.kind === "running");
    const used = await Promise.all(
      running.map((container) => containerUsage(this.#parts.engine, container, this.#parts.clock, signal)),
    );
    return used.filter((usage) => usage !== undefined);
  }

  async removeContainer(id: string, signal: AbortSignal): Promise<void> {
    const container = this.table.get(id);
    if (container === undefined) return;
    await removeContainer(this.#parts.engine, container.engineId, signal);
    this.table.forget(id);
  }

  async removePod(podUid: string, signal: AbortSignal): Promise<void> {
    await Promise.all(this.list(podUid).map((record) => this.removeContainer(record.id, signal)));
    await this.#parts.pods.remove(podUid, signal);
    this.#networks.delete(podUid);
  }

  /** Lets go of everything; the containers run on. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tasks[Symbol.asyncDispose]();
    this.events.close();
  }

  async #create(spec: ContainerSpec, signal: AbortSignal): Promise<string> {
    const { engine, images, pods, installation, allowPrivileged } = this.#parts;
    const image = await images.open(spec.image.digest, signal);
    checkNonRoot(spec.security, image.user);
    const { uid } = spec.pod;
    const body = containerRequest({
      installation,
      spec,
      image: image.name,
      sandbox: pods.sandboxName(uid),
      mounts: await mountSources(pods.volumesOf(uid), spec.mounts),
      messageFile: await pods.messageFile(uid, spec.name, spec.attempt),
      allowPrivileged,
    });
    const name = `tidegate-${installation}-${containerIdOf(uid, spec.name, spec.attempt)}`;
    try {
      const { Id } = await engine.json<{ Id: string }>("POST", "/containers/create", { query: { name }, body, signal });
      return Id;
    } catch (error) {
      if (!isEngineStatus(error, 409)) {
        signal.throwIfAborted();
        const message = `Cannot create container "${spec.name}": ${errorMessage(error)}`;
        throw new RuntimeError("runtime/start-failed", message, { cause: error });
      }
      // Made by a start that did not live to note it: the same attempt, so it is the one that is wanted.
      return name;
    }
  }

  async #kill(container: KnownContainer, name: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#parts.engine.send("POST", `/containers/${container.engineId}/kill`, {
        query: { signal: name },
        signal,
      });
    } catch (error) {
      // 409 and, from Podman, 500: it ended meanwhile.
      if (!isEngineStatus(error, 404, 409, 500)) throw error;
    }
  }

  /** Whether it ended in time. The engine is asked itself: its events may come late. */
  async #endsWithin(engineId: string, id: string, ms: number, signal: AbortSignal): Promise<boolean> {
    const { engine, clock } = this.#parts;
    using scope = new AbortScope(signal);
    const ended = engine
      .send("POST", `/containers/${engineId}/wait`, { signal: scope.signal })
      .then(() => true)
      .catch((error: unknown) => {
        if (scope.signal.aborted || isEngineStatus(error, 404)) return true;
        throw error;
      });
    const slept = clock.sleep(ms, scope.signal).then(
      () => false,
      () => false,
    );
    const inTime = await Promise.race([ended, slept]);
    signal.throwIfAborted();
    if (inTime) await this.table.refresh(engineId, signal);
    return inTime && this.table.get(id)?.record.state.kind !== "running";
  }

  #known(id: string): KnownContainer {
    const container = this.table.get(id);
    if (container !== undefined) return container;
    throw new RuntimeError("runtime/no-container", `Cannot find container "${id}": the engine has none`);
  }

  #running(id: string): KnownContainer {
    const container = this.#known(id);
    if (container.record.state.kind === "running") return container;
    throw new RuntimeError("runtime/no-container", `Cannot use container "${id}": it does not run`);
  }
}
