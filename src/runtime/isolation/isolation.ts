/**
 * What the process runtime asks about isolation: which pods have a network of their own, how their containers start, and
 * what became of them. Without the abilities it says so, and pods are plain processes.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "#lib";
import { RuntimeError } from "../errors.ts";
import type { UnpackedImage } from "../image/image-store.ts";
import type { GatewayPort } from "../ports.ts";
import type { ContainerSpec, PodNetwork, PodSandbox } from "../pod-runtime.ts";
import { initOf } from "../process/process-container.ts";
import { environmentOf } from "../process/process-table.ts";
import type { PreparedCommand, PreparedLaunch } from "../process/prepared-launch.ts";
import { abilitiesText, type MachineAbilities } from "./detect.ts";
import { type EnterPlan, planFile } from "./enter-plan.ts";
import { confined, type EnterTools, isolatedCommand, isolatedLaunch } from "./isolated-launch.ts";
import { applyLimits, limitsCpu, limitsMemory, ranOutOfMemory, removeLimits, tidyLimits } from "./limits.ts";
import { carriesRoot } from "./own-root.ts";
import { plainIdentity } from "./plain-security.ts";
import { PodNetworks, resolverText } from "./pod-networks.ts";

export interface IsolationOptions {
  readonly abilities: MachineAbilities;
  readonly tools: EnterTools;
  /** Of the process runtime. */
  readonly podsFolder: string;
  readonly gateway: GatewayPort | undefined;
  /** Of the installation; names of control groups begin with it. */
  readonly id: string;
  readonly random: () => number;
  readonly log: Log;
}

/** Handlers of the process runtime: isolated where it can be, always, never. */
const always = "isolated";
const never = "plain";

export class Isolation {
  readonly #options: IsolationOptions;
  readonly #networks: PodNetworks;
  readonly #sandboxes = new Map<string, PodSandbox>();

  constructor(options: IsolationOptions) {
    this.#options = options;
    const { podsFolder: root, tools, random, log, gateway } = options;
    const ports = (): Readonly<Record<number, number>> => gateway?.ports() ?? {};
    this.#networks = new PodNetworks({ root, searchPath: tools.searchPath, ports, random, log });
  }

  get text(): string {
    return abilitiesText(this.#options.abilities);
  }

  /** Whether images that carry their own root file system are isolated. */
  get isAble(): boolean {
    return typeof this.#options.abilities.isolation !== "string";
  }

  async restore(podUids: readonly string[]): Promise<void> {
    await this.#networks.restore(podUids);
  }

  /** Removes what containers left that are no more. */
  async tidy(containerIds: readonly string[]): Promise<void> {
    const { limits } = this.#options.abilities;
    if (typeof limits !== "string") await tidyLimits(limits, new Set(containerIds), this.#options.id);
  }

  /**
   * The pod's network when it has one of its own; `open` while that is not decided. Throws `runtime/no-isolation` where the pod
   * insists on what cannot be.
   *
   * @param image of the pod's first container
   * @param makePlace makes the pod's folder
   */
  async prepare(
    sandbox: PodSandbox,
    image: UnpackedImage | undefined,
    signal: AbortSignal,
    makePlace: () => Promise<unknown>,
  ): Promise<PodNetwork | "shared" | "open"> {
    const { isolation } = this.#options.abilities;
    const { uid } = sandbox.pod;
    this.#sandboxes.set(uid, sandbox);
    if (sandbox.handler === always && typeof isolation === "string") {
      throw new RuntimeError("runtime/no-isolation", `Cannot isolate pod "${sandbox.pod.name}": ${isolation}`);
    }
    if (typeof isolation === "string" || sandbox.handler === never) return "shared";
    if (sandbox.hostNetwork === true || !isolation.networks) return "shared";
    if (this.#networks.get(uid) === undefined) {
      if (image === undefined) return "open";
      if (!(await this.#isolates(sandbox, image))) return "shared";
    }
    await makePlace();
    const { ip } = await this.#networks.prepare(uid, signal);
    return { ip, ports: Object.fromEntries(sandbox.ports.map((port) => [String(port), port])) };
  }

  addressOf(podUid: string): string | undefined {
    return this.#networks.get(podUid)?.ip;
  }

  /** How to start the container isolated; undefined for one that is a plain process. */
  async launch(
    spec: ContainerSpec,
    image: UnpackedImage,
    folder: string,
    volumes: string,
  ): Promise<PreparedLaunch | undefined> {
    const { isolation } = this.#options.abilities;
    const { uid } = spec.pod;
    const sandbox = this.#sandboxes.get(uid);
    if (typeof isolation === "string" || sandbox?.handler === never) return undefined;
    if (!(await this.#isolates(sandbox, image))) return undefined;
    const network = this.#networks.get(uid);
    const limitFiles = await this.#limit(spec);
    const launch = await isolatedLaunch({
      spec: network === undefined ? spec : this.#linked(spec),
      image,
      folder,
      volumes,
      etc: await this.#etc(spec, sandbox),
      namespace: network?.namespace,
      overlay: isolation.overlay,
      limitFiles,
      tools: this.#options.tools,
    });
    return { ...launch, workingDir: "/" };
  }

  /** Limits and rights of a container that is a plain process. Throws where its `securityContext` cannot be honoured. */
  async confine(spec: ContainerSpec, folder: string, launch: PreparedLaunch): Promise<PreparedLaunch> {
    const uid = process.getuid?.() ?? -1;
    const gid = process.getgid?.() ?? -1;
    const identity = plainIdentity(spec.security, { uid, gid, groups: process.getgroups?.() ?? [] });
    const limitFiles = await this.#limit(spec);
    const { tools } = this.#options;
    const bound =
      identity === undefined && limitFiles.length === 0
        ? launch
        : await confined({ folder, identity, limitFiles, launch, tools });
    const network = this.#networks.get(spec.pod.uid);
    if (network === undefined) return bound;
    // Beside isolated containers: on the pod's network, as all containers of a pod are.
    return { ...bound, argv: ["nsenter", `--net=/run/netns/${network.namespace}`, "--", ...bound.argv] };
  }

  /** @param path where programs are looked for, where that is known; otherwise where the container's program does */
  async beside(
    folder: string,
    id: string,
    command: readonly string[],
    path: string | undefined,
  ): Promise<PreparedCommand> {
    const { tools } = this.#options;
    const init = initOf(folder);
    if (init === undefined) {
      throw new RuntimeError(
        "runtime/no-container",
        `Cannot use container "${id}": its first process does not run yet, or not any more`,
      );
    }
    const plan = JSON.parse(await readFile(join(folder, planFile), "utf8")) as EnterPlan;
    const argv = await isolatedCommand(
      folder,
      init,
      plan,
      command,
      path ?? (await environmentOf(init))?.["PATH"],
      tools,
    );
    const environment = { PATH: tools.searchPath, NODE_COMPILE_CACHE: tools.codeCache };
    return { argv, workingDir: "/", environment };
  }

  async outOfMemory(id: string): Promise<boolean> {
    const { limits } = this.#options.abilities;
    return typeof limits === "string" ? false : await ranOutOfMemory(limits, this.#group(id));
  }

  async removeContainer(id: string): Promise<void> {
    const { limits } = this.#options.abilities;
    if (typeof limits !== "string") await removeLimits(limits, this.#group(id));
  }

  async removePod(podUid: string, signal: AbortSignal): Promise<void> {
    await this.#networks.remove(podUid, signal);
    this.#sandboxes.delete(podUid);
  }

  async #isolates(sandbox: PodSandbox | undefined, image: UnpackedImage): Promise<boolean> {
    if (await carriesRoot(image.tree, image.config)) return true;
    if (sandbox?.handler !== always) return false;
    const message = `Cannot isolate pod "${sandbox.pod.name}": an image of it has no root file system of its own (no /bin/sh, and no program that starts from the image alone)`;
    throw new RuntimeError("runtime/no-isolation", message);
  }

  /** The machine's loopback is not the pod's: the API server is at the gateway, under a name. */
  #linked(spec: ContainerSpec): ContainerSpec {
    const { gateway } = this.#options;
    if (gateway === undefined || spec.links?.["KUBERNETES_SERVICE_HOST"] === undefined) return spec;
    return { ...spec, links: { ...spec.links, KUBERNETES_SERVICE_HOST: gateway.apiServer } };
  }

  async #limit(spec: ContainerSpec): Promise<string[]> {
    const { limits: groups } = this.#options.abilities;
    const { cpuMillis, memoryBytes } = spec.limits ?? {};
    if ((cpuMillis ?? memoryBytes) === undefined || typeof groups === "string") return [];
    const limits = {
      ...(cpuMillis !== undefined && limitsCpu(groups) ? { cpuMillis } : {}),
      ...(memoryBytes !== undefined && limitsMemory(groups) ? { memoryBytes } : {}),
    };
    return await applyLimits(groups, this.#group(`${spec.pod.uid}_${spec.name}_${spec.attempt}`), limits);
  }

  #group(id: string): string {
    return `${this.#options.id}-${id}`;
  }

  async #etc(spec: ContainerSpec, sandbox: PodSandbox | undefined): Promise<Record<string, string>> {
    const ip = this.#networks.get(spec.pod.uid)?.ip;
    const aliases = (sandbox?.hostAliases ?? []).map(({ ip: address, names }) => `${address}\t${names.join(" ")}`);
    const own = ip === undefined ? `127.0.0.1\t${spec.pod.name}` : `${ip}\t${spec.pod.name}`;
    const machine = ip === undefined ? [] : await this.#machineNames();
    const lines = ["127.0.0.1\tlocalhost", "::1\tlocalhost ip6-localhost", own, ...aliases, ...machine];
    const hosts = `${lines.join("\n")}\n`;
    return { hosts, hostname: `${spec.pod.name}\n`, "resolv.conf": await resolverText(spec.pod.namespace) };
  }

  async #machineNames(): Promise<string[]> {
    const address = await this.#networks.gateway();
    return (this.#options.gateway?.names() ?? []).map((name) => `${address}\t${name}`);
  }
}
