/**
 * Pods as processes of this host, for machines without a container engine. An image that carries its own root file
 * system is isolated where the machine can do that (see `src/runtime/isolation`); the others are plain:
 *
 * Their own: the working copy of the image, volumes, HOME and TMPDIR, the environment, the process group, the ports.
 * Not their own: the file system outside of these, the user, the network, other processes. They are the team's own
 * images, as a developer would start them; that is no sandbox.
 *
 * Containers are no part of this process's life: they write their own logs and exit codes, and are found again by
 * `openProcessRuntime`.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { Channel, type Clock, type Ids, isAbort, KeyedLock, type Log, runCommand, withDeadline } from "#lib";
import { RuntimeError } from "../errors.ts";
import type { ImageStore } from "../image/image-store.ts";
import type { Isolation } from "../isolation/isolation.ts";
import { readMessage } from "../isolation/read-message.ts";
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
import { AbortScope } from "./abort-scope.ts";
import { type ContainerFacts, removeFolder, writeFacts } from "./container-folder.ts";
import { plainCommand, plainLaunch } from "./plain-launch.ts";
import type { PodPlaces } from "./pod-places.ts";
import { ProcessContainer, type ProcessContainerOptions } from "./process-container.ts";
import type { PreparedCommand } from "./prepared-launch.ts";
import { environmentOf } from "./process-table.ts";
import { processUsage } from "./process-usage.ts";
import { readLog } from "./read-log.ts";
import { readInTree } from "./read-in-tree.ts";
import { attachTo } from "./session/attach-session.ts";
import { connectTo } from "./session/connect.ts";
import { startExec } from "./session/exec-session.ts";
import { spawnContainer } from "./spawn-container.ts";
import { stopSignalOf } from "./stop-signal.ts";
import { writeVolume } from "./volume.ts";

export interface ProcessRuntimeParts {
  readonly places: PodPlaces;
  readonly images: ImageStore;
  readonly isolation: Isolation;
  readonly shim: string;
  readonly hostPath: string;
  readonly logMaxBytes: number;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
}

/** What `exec` needs to know again. Kept in memory only: it holds the pod's secrets. */
interface Launched {
  readonly environment: Readonly<Record<string, string>>;
}

/** How long the kernel may take to end a killed process before we say that it does not. */
const killPatienceMs = 15_000;
const maxExecOutput = 16 * 1024;
/** Upstream's limit. */
const maxTerminationMessage = 4096;

export class ProcessRuntime implements PodRuntime {
  readonly name = "process";
  readonly handlers = ["process", "isolated", "plain"];
  readonly events = new Channel<ContainerEvent>();
  readonly #parts: ProcessRuntimeParts;
  readonly #containers = new Map<string, ProcessContainer>();
  readonly #launched = new Map<string, Launched>();
  readonly #locks = new KeyedLock();

  constructor(parts: ProcessRuntimeParts) {
    this.#parts = parts;
  }

  get isolation(): string {
    return this.#parts.isolation.text;
  }

  async pull(
    reference: string,
    options: {
      policy: "Always" | "IfNotPresent" | "Never";
      logins?: readonly RegistryLogin[];
      signal: AbortSignal;
    },
  ): Promise<PulledImage> {
    return await this.#parts.images.pull(reference, options.policy, options.signal, options.logins);
  }

  async preparePod(sandbox: PodSandbox, signal: AbortSignal): Promise<PodNetwork> {
    const { places, isolation, images } = this.#parts;
    const records = this.list(sandbox.pod.uid);
    const running = records.some((container) => container.state.kind === "running");
    // The first container decides: its network is the pod's from then on.
    const digest = sandbox.image?.digest ?? records[0]?.image.digest;
    const image = digest === undefined ? undefined : await images.open(digest);
    const own = await isolation.prepare(sandbox, image, signal, () =>
      places.prepare({ ...sandbox, ports: [] }, running),
    );
    if (typeof own === "object") return own;
    const shared = await places.prepare(sandbox, running);
    return own === "open" ? { ...shared, provisional: true } : shared;
  }

  async writeVolume(podUid: string, volume: VolumeContent): Promise<void> {
    const folder = join(this.#parts.places.volumesOf(podUid), volume.name);
    await this.#locks.run(folder, () => writeVolume(folder, volume, this.#parts.ids));
  }

  async startContainer(spec: ContainerSpec, signal: AbortSignal): Promise<ContainerRecord> {
    const id = containerIdOf(spec.pod.uid, spec.name, spec.attempt);
    return await this.#locks.run(id, async () => {
      const known = this.#containers.get(id);
      if (known !== undefined) return known.record;
      const folder = this.#parts.places.containerFolder(spec.pod.uid, spec.name, spec.attempt);
      try {
        return await this.#start(id, folder, spec, signal);
      } catch (error) {
        await removeFolder(folder);
        throw error;
      }
    });
  }

  async stopContainer(id: string, options: { graceMs: number; signal: AbortSignal }): Promise<void> {
    const container = this.#containers.get(id);
    if (container === undefined || !container.isRunning) return;
    if (options.graceMs > 0) {
      container.signal(container.facts.stopSignal);
      if (await this.#endsWithin(container, options.graceMs, options.signal)) return;
    }
    container.signal("SIGKILL");
    if (await this.#endsWithin(container, killPatienceMs, options.signal)) return;
    throw new RuntimeError(
      "runtime/stop-failed",
      `Cannot stop container "${container.facts.name}": it survives SIGKILL`,
    );
  }

  async exec(
    id: string,
    command: readonly string[],
    options: { timeoutMs: number; signal: AbortSignal },
  ): Promise<ExecResult> {
    const container = this.#containers.get(id);
    const pid = container?.pid;
    if (container === undefined || pid === undefined) throw notRunning(id);
    const { argv, environment, workingDir } = await this.#launchBeside(container, pid, command, "host");
    const [file = "", ...args] = argv;
    const signal = withDeadline(options.signal, options.timeoutMs);
    const result = await runCommand(file, args, { cwd: workingDir, env: environment, signal, maxOutputBytes: 1 << 20 });
    const output = Buffer.concat([result.stdout, Buffer.from(result.stderr)]).subarray(0, maxExecOutput);
    return { exitCode: result.exitCode, output: output.toString("utf8") };
  }

  async openExec(id: string, command: readonly string[], options: SessionOptions): Promise<ContainerSession> {
    const container = this.#containers.get(id);
    const pid = container?.pid;
    if (container === undefined || pid === undefined) throw notRunning(id);
    const { argv, environment, workingDir } = await this.#launchBeside(container, pid, command, "image");
    const { clock, hostPath, ids, places } = this.#parts;
    const sessionId = ids.uuid();
    const runtimeId = places.root;
    return await startExec(
      { argv, workingDir, env: environment, sessionId, runtimeId, searchPath: hostPath, clock },
      options,
    );
  }

  async attach(id: string, options: SessionOptions): Promise<ContainerSession> {
    const container = this.#containers.get(id);
    if (container?.pid === undefined) throw notRunning(id);
    const { hostPath: searchPath, clock } = this.#parts;
    return await attachTo(container, options, { searchPath, clock });
  }

  async connect(podUid: string, port: number, signal: AbortSignal): Promise<Duplex> {
    const address = this.#parts.isolation.addressOf(podUid);
    if (address !== undefined) return await connectTo(address, port, signal);
    const { host, port: own } = this.#parts.places.reach(podUid, port);
    return await connectTo(host, own, signal);
  }

  list(podUid?: string): readonly ContainerRecord[] {
    return [...this.#containers.values()]
      .map((container) => container.record)
      .filter((record) => podUid === undefined || record.pod.uid === podUid)
      .toSorted((a, b) => a.attempt - b.attempt);
  }

  pods(): readonly PodIdentity[] {
    return this.#parts.places.pods();
  }

  logs(id: string, options: LogOptions): AsyncIterable<Uint8Array> {
    const container = this.#containers.get(id);
    if (container === undefined) {
      throw new RuntimeError("runtime/no-container", `Cannot read the log of container "${id}": there is none`);
    }
    return readLog(container.output, options, () => !container.isRunning);
  }

  async terminationMessage(id: string, path: string): Promise<string> {
    const container = this.#containers.get(id);
    if (container === undefined) return "";
    const { folder, facts } = container;
    if (facts.isolated === true) return await readMessage(folder, path, maxTerminationMessage);
    return await readInTree(join(folder, "root"), path, maxTerminationMessage);
  }

  async usage(signal: AbortSignal): Promise<readonly ContainerUsage[]> {
    const running = [...this.#containers.values()].filter((container) => container.isRunning);
    const used = await processUsage(signal);
    const at = this.#parts.clock.now();
    return running.flatMap((container) => {
      const own = used.get(container.pid ?? 0);
      if (own === undefined) return [];
      const { id, pod, name, state } = container.record;
      return [{ id, pod, name, at, startedAt: state.startedAt, ...own }];
    });
  }

  async removeContainer(id: string, signal: AbortSignal): Promise<void> {
    const container = this.#containers.get(id);
    if (container === undefined) return;
    await this.stopContainer(id, { graceMs: 0, signal });
    this.#containers.delete(id);
    this.#launched.delete(id);
    await removeFolder(container.folder);
    await this.#parts.isolation.removeContainer(id);
  }

  async removePod(podUid: string, signal: AbortSignal): Promise<void> {
    await Promise.all(this.list(podUid).map((record) => this.removeContainer(record.id, signal)));
    await this.#parts.isolation.removePod(podUid, signal);
    await this.#parts.places.remove(podUid);
  }

  /** Takes in a container that start-up found, or that was just spawned. */
  register(container: ProcessContainer): void {
    this.#containers.set(container.facts.id, container);
  }

  containerOptions(folder: string, facts: ContainerFacts): ProcessContainerOptions {
    const { clock, log, logMaxBytes } = this.#parts;
    const onExit = (): void => {
      this.#launched.delete(facts.id);
      this.events.send({ podUid: facts.pod.uid, containerId: facts.id });
    };
    const outOfMemory = (): Promise<boolean> => this.#parts.isolation.outOfMemory(facts.id);
    return { folder, facts, clock, log, logMaxBytes, outOfMemory, onExit };
  }

  /** Lets go of everything; the containers run on. */
  [Symbol.asyncDispose](): Promise<void> {
    for (const container of this.#containers.values()) container[Symbol.dispose]();
    this.events.close();
    return Promise.resolve();
  }

  async #start(id: string, folder: string, spec: ContainerSpec, signal: AbortSignal): Promise<ContainerRecord> {
    const { images, isolation, places, shim, hostPath } = this.#parts;
    const image = await images.open(spec.image.digest);
    await removeFolder(folder);
    await mkdir(folder, { recursive: true });
    const isolated = await isolation.launch(spec, image, folder, places.volumesOf(spec.pod.uid));
    const launch =
      isolated ??
      (await isolation.confine(spec, folder, await plainLaunch({ spec, image, folder, places, hostPath, signal })));
    const { workingDir } = launch;
    const { pod, name, attempt, labels } = spec;
    const stopSignal = stopSignalOf(image.config.StopSignal);
    const used = { reference: spec.image.reference, digest: spec.image.digest };
    const { stdin, tty, mounts } = spec;
    const facts: ContainerFacts = {
      id,
      pod,
      name,
      attempt,
      image: used,
      labels,
      stopSignal,
      workingDir,
      mounts,
      ...(stdin === undefined ? {} : { stdin }),
      ...(tty === true ? { tty } : {}),
      ...(isolated === undefined ? {} : { isolated: true }),
    };
    await writeFacts(folder, facts);
    signal.throwIfAborted();
    const options = this.containerOptions(folder, facts);
    const container = await spawnContainer({ shim, options, ...launch, hostPath, signal });
    this.#launched.set(id, { environment: launch.environment });
    this.register(container);
    this.events.send({ podUid: pod.uid, containerId: id });
    return container.record;
  }

  async #launchBeside(
    container: ProcessContainer,
    pid: number,
    command: readonly string[],
    prefer: "image" | "host",
  ): Promise<PreparedCommand> {
    const { facts, folder } = container;
    const { hostPath, isolation, places } = this.#parts;
    const launched = this.#launched.get(facts.id)?.environment;
    if (facts.isolated === true) {
      await container.begun();
      return await isolation.beside(folder, facts.id, command, launched?.["PATH"]);
    }
    const environment = launched ?? (await environmentOf(pid)) ?? {};
    return await plainCommand({ facts, folder, command, environment, places, hostPath, prefer });
  }

  async #endsWithin(container: ProcessContainer, ms: number, signal: AbortSignal): Promise<boolean> {
    using timeout = new AbortScope(signal);
    const slept = this.#parts.clock.sleep(ms, timeout.signal).then(
      () => false,
      (error: unknown) => {
        if (signal.aborted && isAbort(error)) throw error;
        return false;
      },
    );
    return await Promise.race([container.ended.then(() => true), slept]);
  }
}

function notRunning(id: string): RuntimeError {
  return new RuntimeError("runtime/no-container", `Cannot use container "${id}": it does not run`);
}
