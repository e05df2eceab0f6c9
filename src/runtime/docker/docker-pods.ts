/**
 * A pod's place at an engine: a folder of ours with its volumes, and a sandbox container that holds the network which
 * all containers of the pod share. `pod.json` is written before the sandbox is made, so a sandbox without it is rubbish.
 */
import { chmod, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type EngineClient, isEngineStatus } from "#engine";
import { errorCode, KeyedLock, readFileIfExists, writeFileAtomic } from "#lib";
import { RuntimeError } from "../errors.ts";
import type { PodIdentity, PodNetwork, PodSandbox } from "../pod-runtime.ts";
import { sandboxRequest } from "./container-request.ts";
import type { EngineContainer } from "./engine-types.ts";

export interface DockerPodsOptions {
  readonly engine: EngineClient;
  readonly root: string;
  readonly installation: string;
  /** See `reachability.ts`. */
  readonly publish: boolean;
}

interface PodFile {
  readonly pod: PodIdentity;
  readonly hostNetwork: boolean;
}

export class DockerPods {
  readonly #options: DockerPodsOptions;
  readonly #pods = new Map<string, PodFile>();
  readonly #locks = new KeyedLock();

  constructor(options: DockerPodsOptions) {
    this.#options = options;
  }

  async restore(): Promise<void> {
    const { root } = this.#options;
    await mkdir(root, { recursive: true, mode: 0o700 });
    for (const uid of await readdir(root)) {
      const text = await readFileIfExists(join(root, uid, "pod.json"));
      if (text === undefined) await rm(join(root, uid), { recursive: true, force: true });
      else this.#pods.set(uid, JSON.parse(text) as PodFile);
    }
  }

  list(): readonly PodIdentity[] {
    return [...this.#pods.values()].map(({ pod }) => pod);
  }

  has(podUid: string): boolean {
    return this.#pods.has(podUid);
  }

  volumesOf(podUid: string): string {
    return join(this.#folder(podUid), "volumes");
  }

  /** The file behind `/dev/termination-log` of an attempt, there for any user to write. */
  async messageFile(podUid: string, name: string, attempt: number): Promise<string> {
    const path = this.messagePath(podUid, name, attempt);
    await mkdir(join(path, ".."), { recursive: true });
    await writeFile(path, "", { flag: "a" });
    await chmod(path, 0o666);
    return path;
  }

  messagePath(podUid: string, name: string, attempt: number): string {
    return join(this.#folder(podUid), "messages", `${name}.${attempt}`);
  }

  sandboxName(podUid: string): string {
    return `tidegate-${this.#options.installation}-${podUid}`;
  }

  async prepare(sandbox: PodSandbox, signal: AbortSignal): Promise<PodNetwork> {
    const { uid } = sandbox.pod;
    return await this.#locks.run(uid, async () => {
      if (!this.#pods.has(uid)) {
        const file: PodFile = { pod: sandbox.pod, hostNetwork: sandbox.hostNetwork === true };
        await writeFileAtomic(join(this.#folder(uid), "pod.json"), JSON.stringify(file));
        await mkdir(this.volumesOf(uid), { recursive: true });
        this.#pods.set(uid, file);
      }
      const found = await this.#running(uid, signal);
      return networkOf(sandbox, found ?? (await this.#make(sandbox, signal)));
    });
  }

  async remove(podUid: string, signal: AbortSignal): Promise<void> {
    await this.#locks.run(podUid, async () => {
      await removeContainer(this.#options.engine, this.sandboxName(podUid), signal);
      await rm(this.#folder(podUid), { recursive: true, force: true, maxRetries: 3 });
      this.#pods.delete(podUid);
    });
    if (this.#pods.size === 0) await this.#removeNetwork(signal);
  }

  async #running(uid: string, signal: AbortSignal): Promise<EngineContainer | undefined> {
    const { engine } = this.#options;
    const path = `/containers/${this.sandboxName(uid)}`;
    try {
      const found = await engine.json<EngineContainer>("GET", `${path}/json`, { signal });
      if (found.State.Running) return found;
      // A machine that went down stops sandboxes; a new address is as good as a new pod, so this one starts again.
      await engine.send("POST", `${path}/start`, { signal });
      return await engine.json<EngineContainer>("GET", `${path}/json`, { signal });
    } catch (error) {
      if (isEngineStatus(error, 404)) return undefined;
      throw error;
    }
  }

  async #make(sandbox: PodSandbox, signal: AbortSignal): Promise<EngineContainer> {
    const { engine, installation, publish } = this.#options;
    const name = this.sandboxName(sandbox.pod.uid);
    const network = sandbox.hostNetwork === true ? "host" : await this.#network(signal);
    const body = sandboxRequest({ installation, sandbox, network, publish });
    try {
      const { Id } = await engine.json<{ Id: string }>("POST", "/containers/create", { query: { name }, body, signal });
      await engine.send("POST", `/containers/${Id}/start`, { signal });
      return await engine.json<EngineContainer>("GET", `/containers/${Id}/json`, { signal });
    } catch (error) {
      signal.throwIfAborted();
      await removeContainer(engine, name, signal);
      throw error;
    }
  }

  /** One network for the pods of this installation, made when the first pod comes and removed with the last. */
  async #network(signal: AbortSignal): Promise<string> {
    const { engine, installation } = this.#options;
    const name = `tidegate-${installation}`;
    return await this.#locks.run("network", async () => {
      try {
        await engine.send("GET", `/networks/${name}`, { signal });
      } catch (error) {
        if (!isEngineStatus(error, 404)) throw error;
        const labels = { "tidegate.dev/installation": installation };
        const body = { Name: name, Driver: "bridge", CheckDuplicate: true, Labels: labels };
        await engine.send("POST", "/networks/create", { body, signal });
      }
      return name;
    });
  }

  async #removeNetwork(signal: AbortSignal): Promise<void> {
    const { engine, installation } = this.#options;
    await this.#locks.run("network", async () => {
      try {
        if (this.#pods.size === 0) await engine.send("DELETE", `/networks/tidegate-${installation}`, { signal });
      } catch (error) {
        // Gone already, or a pod came meanwhile: both are well.
        if (!isEngineStatus(error, 403, 404, 409, 500)) throw error;
      }
    });
  }

  #folder(podUid: string): string {
    if (/^[A-Za-z0-9][A-Za-z0-9-]*$/.test(podUid)) return join(this.#options.root, podUid);
    throw new RuntimeError("runtime/start-failed", `Cannot make a folder for "${podUid}": not a plain name`);
  }
}

function networkOf(sandbox: PodSandbox, container: EngineContainer): PodNetwork {
  const own = Object.fromEntries(sandbox.ports.map((port) => [String(port), port]));
  if (sandbox.hostNetwork === true) return { ip: "127.0.0.1", ports: own };
  const { Ports, Networks, IPAddress } = container.NetworkSettings;
  const published = sandbox.ports.map(
    (port) => [String(port), Number(Ports?.[`${port}/tcp`]?.[0]?.HostPort ?? 0)] as const,
  );
  if (published.length > 0 && published.every(([, port]) => port > 0)) {
    return { ip: "127.0.0.1", ports: Object.fromEntries(published) };
  }
  const addresses = [IPAddress, ...Object.values(Networks ?? {}).map((network) => network.IPAddress)];
  const ip = addresses.find((address) => address !== undefined && address !== "");
  if (ip === undefined) {
    const message = `Cannot reach pod "${sandbox.pod.name}": the engine gave its sandbox no address`;
    throw new RuntimeError("runtime/start-failed", message);
  }
  return { ip, ports: own };
}

/** Ends and removes a container, if there is one. */
export async function removeContainer(engine: EngineClient, name: string, signal: AbortSignal): Promise<void> {
  try {
    await engine.send("DELETE", `/containers/${name}`, { query: { force: 1, v: 1 }, signal });
  } catch (error) {
    // 409: its removal is under way.
    if (!isEngineStatus(error, 404, 409) && errorCode(error) !== "ENOENT") throw error;
  }
}
