/**
 * Pods as processes of this host, for machines without a container engine.
 *
 * Isolated: the working copy of the image, volumes, HOME and TMPDIR, the environment, the process group, the ports.
 * Not isolated: the file system outside of these, the user, the network, other processes, CPU and memory. It runs the
 * team's own images, as a developer would start them; it is no sandbox.
 *
 * Containers are no part of this process's life: they write their own logs and exit codes, and are found again by
 * `openProcessRuntime`.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { Channel, type Clock, type Ids, isAbort, KeyedLock, type Log, runCommand, withDeadline } from "#lib";
import { RuntimeError } from "../errors.ts";
import type { ImageStore, UnpackedImage } from "../image/image-store.ts";
import { linkTree } from "../image/link-tree.ts";
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
import { containerArgv, defaultImagePath, type Launch, resolveLaunch } from "./command-line.ts";
import { type ContainerFacts, removeFolder, writeFacts } from "./container-folder.ts";
import { containerEnvironment, imageEnvironment } from "./environment.ts";
import { ContainerPlace } from "./place.ts";
import type { PodPlaces } from "./pod-places.ts";
import { ProcessContainer, type ProcessContainerOptions } from "./process-container.ts";
import { environmentOf } from "./process-table.ts";
import { processUsage } from "./process-usage.ts";
import { readLog } from "./read-log.ts";
import { readInTree } from "./read-in-tree.ts";
import { archiveInTree } from "./session/archive-in-tree.ts";
import { attachTo } from "./session/attach-session.ts";
import { connectTo } from "./session/connect.ts";
import { startExec } from "./session/exec-session.ts";
import { spawnContainer } from "./spawn-container.ts";
import { stopSignalOf } from "./stop-signal.ts";
import { writeVolume } from "./volume.ts";

export interface ProcessRuntimeParts {
  readonly places: PodPlaces;
  readonly images: ImageStore;
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
  readonly events = new Channel<ContainerEvent>();
  readonly #parts: ProcessRuntimeParts;
  readonly #containers = new Map<string, ProcessContainer>();
  readonly #launched = new Map<string, Launched>();
  readonly #locks = new KeyedLock();

  constructor(parts: ProcessRuntimeParts) {
    this.#parts = parts;
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

  async preparePod(sandbox: PodSandbox): Promise<PodNetwork> {
    const running = this.list(sandbox.pod.uid).some((container) => container.state.kind === "running");
    return await this.#parts.places.prepare(sandbox, running);
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
    const { environment, launch } = await this.#launchBeside(container, pid, command, "host");
    const { workingDir } = container.facts;
    const [file = "", ...args] = launch.argv;
    const signal = withDeadline(options.signal, options.timeoutMs);
    const result = await runCommand(file, args, { cwd: workingDir, env: environment, signal, maxOutputBytes: 1 << 20 });
    const output = Buffer.concat([result.stdout, Buffer.from(result.stderr)]).subarray(0, maxExecOutput);
    return { exitCode: result.exitCode, output: output.toString("utf8") };
  }

  async openExec(id: string, command: readonly string[], options: SessionOptions): Promise<ContainerSession> {
    const container = this.#containers.get(id);
    const pid = container?.pid;
    if (container === undefined || pid === undefined) throw notRunning(id);
    const { environment, launch } = await this.#launchBeside(container, pid, command, "image");
    const { clock, hostPath, ids, places } = this.#parts;
    const sessionId = ids.uuid();
    const { argv } = launch;
    const { workingDir } = container.facts;
    const runtimeId = places.root;
    return await startExec(
      { argv, workingDir, env: environment, sessionId, runtimeId, searchPath: hostPath, clock },
      options,
    );
  }

  attach(id: string, options: SessionOptions): Promise<ContainerSession> {
    return Promise.try(() => {
      const container = this.#containers.get(id);
      if (container?.pid === undefined) throw notRunning(id);
      return attachTo(container, options, this.#parts.hostPath);
    });
  }

  async connect(podUid: string, port: number, signal: AbortSignal): Promise<Duplex> {
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
    return await readInTree(join(container.folder, "root"), path, maxTerminationMessage);
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
  }

  async removePod(podUid: string, signal: AbortSignal): Promise<void> {
    await Promise.all(this.list(podUid).map((record) => this.removeContainer(record.id, signal)));
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
    return { folder, facts, clock, log, logMaxBytes, onExit };
  }

  /** Lets go of everything; the containers run on. */
  [Symbol.asyncDispose](): Promise<void> {
    for (const container of this.#containers.values()) container[Symbol.dispose]();
    this.events.close();
    return Promise.resolve();
  }

  async #start(id: string, folder: string, spec: ContainerSpec, signal: AbortSignal): Promise<ContainerRecord> {
    const image = await this.#parts.images.open(spec.image.digest);
    await removeFolder(folder);
    await mkdir(folder, { recursive: true });
    const tree = join(folder, "root");
    await linkTree(image.tree, tree, signal);
    const place = new ContainerPlace(tree, this.#parts.places.volumesOf(spec.pod.uid), spec.mounts);
    await place.linkMounts();
    const workingDir = await this.#workingDir(place, spec, image);
    const launch = await this.#launch(place, spec, image, workingDir);
    const environment = this.#environment(spec, image, tree, launch);
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
    };
    await writeFacts(folder, facts);
    signal.throwIfAborted();
    const { shim, hostPath } = this.#parts;
    const options = this.containerOptions(folder, facts);
    const container = await spawnContainer({ shim, options, launch, environment, hostPath, signal });
    this.#launched.set(id, { environment });
    this.register(container);
    this.events.send({ podUid: pod.uid, containerId: id });
    return container.record;
  }

  async #launchBeside(
    container: ProcessContainer,
    pid: number,
    command: readonly string[],
    prefer: "image" | "host",
  ): Promise<{ environment: Readonly<Record<string, string>>; launch: Launch }> {
    const { facts, folder } = container;
    const { hostPath, places } = this.#parts;
    const environment = this.#launched.get(facts.id)?.environment ?? (await environmentOf(pid)) ?? {};
    const place = new ContainerPlace(join(folder, "root"), places.volumesOf(facts.pod.uid), facts.mounts ?? []);
    const locate = (path: string): Promise<string | undefined> => place.locate(path);
    const asked = prefer === "image" ? await archiveInTree(command, place.tree) : command;
    const { workingDir } = facts;
    const at = { locate, workingDir, imagePath: defaultImagePath, hostPath, prefer };
    return { environment, launch: await resolveLaunch(asked, at) };
  }

  async #workingDir(place: ContainerPlace, spec: ContainerSpec, image: UnpackedImage): Promise<string> {
    const wanted = spec.workingDir ?? image.config.WorkingDir ?? "/";
    const found = await place.locate(wanted === "" ? "/" : wanted);
    if (found === undefined) {
      throw new RuntimeError(
        "runtime/start-failed",
        `Cannot use working directory "${wanted}": a loop of symbolic links`,
      );
    }
    await mkdir(found, { recursive: true });
    return found;
  }

  async #launch(place: ContainerPlace, spec: ContainerSpec, image: UnpackedImage, workingDir: string): Promise<Launch> {
    const imagePath = spec.env["PATH"] ?? imageEnvironment(image.config)["PATH"] ?? defaultImagePath;
    const locate = (path: string): Promise<string | undefined> => place.locate(path);
    const argv = containerArgv(image.config, spec);
    return await resolveLaunch(argv, { locate, workingDir, imagePath, hostPath: this.#parts.hostPath });
  }

  #environment(spec: ContainerSpec, image: UnpackedImage, tree: string, launch: Launch): Record<string, string> {
    const { home, temporary } = this.#parts.places.privateFolders(spec.pod.uid);
    const { hostPath } = this.#parts;
    const programFrom = launch.from;
    return containerEnvironment({ spec, image: image.config, tree, home, temporary, hostPath, programFrom });
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
