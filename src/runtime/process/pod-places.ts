/**
 * Each pod's folder, `<root>/<uid>/`, and its ports. `pod.json` is written before anything else of a pod exists, so a
 * folder without it holds nothing.
 */
import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { KeyedLock, readFileIfExists, writeFileAtomic } from "#lib";
import { RuntimeError } from "../errors.ts";
import type { PodIdentity, PodNetwork, PodSandbox } from "../pod-runtime.ts";
import { namesIn, removeFolder } from "./container-folder.ts";
import { isFree, type PortAllocator } from "./port-allocator.ts";

interface PodFile {
  readonly pod: PodIdentity;
  readonly ports: Readonly<Record<string, number>>;
}

const address = "127.0.0.1";

export class PodPlaces {
  readonly root: string;
  readonly #ports: PortAllocator;
  readonly #pods = new Map<string, PodFile>();
  readonly #locks = new KeyedLock();

  constructor(root: string, ports: PortAllocator) {
    this.root = root;
    this.#ports = ports;
  }

  /** Reads back what an earlier control process had. */
  async restore(): Promise<void> {
    await mkdir(this.root, { recursive: true, mode: 0o700 });
    for (const uid of await namesIn(this.root)) {
      const text = await readFileIfExists(join(this.root, uid, "pod.json"));
      if (text === undefined) {
        await removeFolder(join(this.root, uid));
        continue;
      }
      const file = JSON.parse(text) as PodFile;
      this.#pods.set(uid, file);
      for (const port of Object.values(file.ports)) this.#ports.hold(port);
    }
  }

  pods(): readonly PodIdentity[] {
    return [...this.#pods.values()].map((file) => file.pod);
  }

  /** @param inUse while a container runs, its ports are not free and must not move */
  async prepare(sandbox: PodSandbox, inUse: boolean): Promise<PodNetwork> {
    return await this.#locks.run(sandbox.pod.uid, async () => {
      const known = this.#pods.get(sandbox.pod.uid);
      const ports: Record<string, number> = {};
      for (const wanted of sandbox.ports) {
        const key = String(wanted);
        const before = known?.ports[key];
        if (before !== undefined && (inUse || (await isFree(before)))) ports[key] = before;
        else ports[key] = await this.#assign(before, known === undefined ? sandbox.previousPorts?.[key] : undefined);
      }
      const file: PodFile = { pod: sandbox.pod, ports };
      if (known === undefined || JSON.stringify(known) !== JSON.stringify(file)) await this.#write(file);
      return { ip: address, ports };
    });
  }

  /** Where a container port of the pod is reached. Throws for a port that no container declares. */
  reach(podUid: string, port: number): { readonly host: string; readonly port: number } {
    const { pod, ports = {} } = this.#pods.get(podUid) ?? {};
    const own = ports[String(port)];
    if (own !== undefined) return { host: address, port: own };
    const declared = Object.keys(ports);
    const known = declared.length === 0 ? "none is declared" : `declared are ${declared.join(", ")}`;
    const message = `no container of pod "${pod?.name ?? podUid}" declares containerPort ${port}: ${known}`;
    throw new RuntimeError("runtime/no-port", message);
  }

  async remove(podUid: string): Promise<void> {
    await this.#locks.run(podUid, async () => {
      const known = this.#pods.get(podUid);
      await removeFolder(this.#folder(podUid));
      this.#pods.delete(podUid);
      for (const port of Object.values(known?.ports ?? {})) this.#ports.release(port);
    });
  }

  volumesOf(podUid: string): string {
    return join(this.#folder(podUid), "volumes");
  }

  privateFolders(podUid: string): { home: string; temporary: string } {
    return { home: join(this.#folder(podUid), "home"), temporary: join(this.#folder(podUid), "tmp") };
  }

  containersOf(podUid: string): string {
    return join(this.#folder(podUid), "containers");
  }

  containerFolder(podUid: string, name: string, attempt: number): string {
    return join(this.containersOf(podUid), `${plainName(name)}.${attempt}`);
  }

  async #assign(lost: number | undefined, previous: number | undefined): Promise<number> {
    if (lost !== undefined) this.#ports.release(lost);
    return (await this.#ports.takeIfFree(previous)) ?? (await this.#ports.take());
  }

  async #write(file: PodFile): Promise<void> {
    const folder = this.#folder(file.pod.uid);
    const { home, temporary } = this.privateFolders(file.pod.uid);
    await writeFileAtomic(join(folder, "pod.json"), JSON.stringify(file));
    for (const path of [home, temporary, this.volumesOf(file.pod.uid)]) await mkdir(path, { recursive: true });
    await chmod(folder, 0o700);
    this.#pods.set(file.pod.uid, file);
  }

  #folder(podUid: string): string {
    return join(this.root, plainName(podUid));
  }
}

/** Uids and container names become folder names; the API server lets nothing else through, and neither do we. */
function plainName(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9-]*$/.test(name)) return name;
  throw new RuntimeError("runtime/start-failed", `Cannot make a folder for "${name}": not a plain name`);
}
