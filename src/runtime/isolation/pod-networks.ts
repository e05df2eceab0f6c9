/**
 * A network namespace a pod: its own loopback, one address on a bridge of this installation, the machine as gateway.
 * Namespaces live under their names in /run/netns and so outlive this process; after the machine went down they are made
 * again. `network.json` in the pod's folder is written before the namespace is made.
 */
import { access, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { commandOutput, KeyedLock, type Log, readFileIfExists, runCommand, sha256Hex, writeFileAtomic } from "#lib";
import { RuntimeError } from "../errors.ts";
import { addressText, chooseAddress, chooseSubnet, gatewayOf, parseSubnet, type Subnet } from "./subnet.ts";

export interface PodNetworksOptions {
  /** Of the process runtime: `<root>/<pod uid>/`. */
  readonly root: string;
  readonly searchPath: string;
  /** See `GatewayPort`. */
  readonly ports: () => Readonly<Record<number, number>>;
  readonly random: () => number;
  readonly log: Log;
}

const askMs = 30_000;

export interface OwnNetwork {
  readonly ip: string;
  readonly namespace: string;
}

interface Rule {
  readonly table: "nat" | "filter";
  readonly chain: string;
  readonly how: "-A" | "-I";
  readonly rule: readonly string[];
}

export class PodNetworks {
  readonly #options: PodNetworksOptions;
  readonly #known = new Map<string, OwnNetwork>();
  readonly #locks = new KeyedLock();
  /** Of the installation, the same over restarts: names of what is made on the machine begin with it. */
  readonly #id: string;
  #subnet: Subnet | undefined;

  constructor(options: PodNetworksOptions) {
    this.#options = options;
    this.#id = sha256Hex(options.root).slice(0, 6);
  }

  /** Reads back what an earlier control process had. */
  async restore(podUids: readonly string[]): Promise<void> {
    for (const uid of podUids) {
      const text = await readFileIfExists(this.#file(uid));
      if (text !== undefined) this.#known.set(uid, JSON.parse(text) as OwnNetwork);
    }
  }

  get(podUid: string): OwnNetwork | undefined {
    return this.#known.get(podUid);
  }

  /** The machine's address on the pods' network. */
  async gateway(): Promise<string> {
    return gatewayOf(await this.#locks.run("all", () => this.#bridge(AbortSignal.timeout(askMs))));
  }

  /** Safe to repeat. The pod's folder is there. */
  async prepare(podUid: string, signal: AbortSignal): Promise<OwnNetwork> {
    return await this.#locks.run("all", async () => {
      const subnet = await this.#bridge(signal);
      const known = this.#known.get(podUid);
      if (known !== undefined && (await exists(`/run/netns/${known.namespace}`))) return known;
      const network = known ?? this.#choose(podUid, subnet);
      await writeFileAtomic(this.#file(podUid), JSON.stringify(network));
      this.#known.set(podUid, network);
      await this.#make(podUid, network, subnet, signal);
      return network;
    });
  }

  async remove(podUid: string, signal: AbortSignal): Promise<void> {
    await this.#locks.run("all", async () => {
      const known = this.#known.get(podUid);
      if (known === undefined) return;
      // The pair of interfaces goes with it.
      await runCommand("ip", ["netns", "delete", known.namespace], this.#ip(signal));
      await rm(this.#file(podUid), { force: true });
      this.#known.delete(podUid);
      if (this.#known.size === 0) await this.#removeBridge(subnetOf(known.ip), signal);
    });
  }

  #choose(podUid: string, subnet: Subnet): OwnNetwork {
    const taken = new Set([...this.#known.values()].map(({ ip }) => ip));
    const ip = chooseAddress(subnet, taken, this.#options.random());
    if (ip === undefined) throw new RuntimeError("runtime/no-port", "Cannot give a pod an address: all are taken");
    return { ip, namespace: `tidegate-${this.#id}-${sha256Hex(podUid).slice(0, 10)}` };
  }

  async #make(podUid: string, network: OwnNetwork, subnet: Subnet, signal: AbortSignal): Promise<void> {
    const { ip, namespace } = network;
    const options = this.#ip(signal);
    // Interface names have at most fifteen bytes.
    const outside = `tg${sha256Hex(podUid).slice(0, 10)}`;
    await runCommand("ip", ["netns", "delete", namespace], options);
    await runCommand("ip", ["link", "delete", outside], options);
    await commandOutput("ip", ["netns", "add", namespace], options);
    await this.#batch(
      [],
      [
        `link add ${outside} type veth peer name eth0 netns ${namespace}`,
        `link set ${outside} master ${this.#bridgeName} up`,
      ],
      signal,
    );
    await this.#batch(
      ["-n", namespace],
      [
        "link set lo up",
        `address add ${ip}/${subnet.bits} dev eth0`,
        "link set eth0 up",
        `route add default via ${gatewayOf(subnet)}`,
      ],
      signal,
    );
  }

  get #bridgeName(): string {
    return `tgbr-${this.#id}`;
  }

  async #bridge(signal: AbortSignal): Promise<Subnet> {
    if (this.#subnet !== undefined) return this.#subnet;
    const options = this.#ip(signal);
    const there = await runCommand("ip", ["-4", "-o", "address", "show", "dev", this.#bridgeName], options);
    const present = parseSubnet(/inet (\S+)/.exec(there.stdout.toString("utf8"))?.[1] ?? "");
    if (present !== undefined) {
      const size = 2 ** (32 - present.bits);
      const subnet = { ...present, base: Math.floor(present.base / size) * size };
      await this.#openOutside(subnet, signal);
      return (this.#subnet = subnet);
    }
    const routes = (await commandOutput("ip", ["-4", "route", "show", "table", "all"], options)).toString("utf8");
    const taken = routes.split(/\s+/).flatMap((word) => parseSubnet(word) ?? []);
    // Pods of before a restart of the machine keep their addresses.
    const before = [...this.#known.values()].map(({ ip }) => subnetOf(ip)).find((found) => found !== undefined);
    const subnet = before ?? chooseSubnet(taken, this.#options.random());
    if (subnet === undefined)
      throw new RuntimeError("runtime/no-port", "Cannot find addresses for pods: 10.201.0.0/16 is in use");
    await runCommand("ip", ["link", "add", this.#bridgeName, "type", "bridge"], options);
    await this.#batch(
      [],
      [
        `address replace ${gatewayOf(subnet)}/${subnet.bits} dev ${this.#bridgeName}`,
        `link set ${this.#bridgeName} up`,
      ],
      signal,
    );
    await this.#openOutside(subnet, signal);
    return (this.#subnet = subnet);
  }

  /** Pods reach the world in the machine's name. Where that cannot be, they reach each other and the machine only. */
  async #openOutside(subnet: Subnet, signal: AbortSignal): Promise<void> {
    try {
      await writeFile("/proc/sys/net/ipv4/ip_forward", "1");
      // Lets what comes from the bridge be led to the machine's loopback.
      await writeFile(`/proc/sys/net/ipv4/conf/${this.#bridgeName}/route_localnet`, "1");
      for (const { table, chain, how, rule } of this.#rules(subnet)) {
        const there = await runCommand("iptables", ["-w", "-t", table, "-C", chain, ...rule], this.#ip(signal));
        if (there.exitCode !== 0)
          await commandOutput("iptables", ["-w", "-t", table, how, chain, ...rule], this.#ip(signal));
      }
    } catch (error) {
      signal.throwIfAborted();
      this.#options.log.warn("Pods with a network of their own cannot reach beyond this machine", { error });
    }
  }

  #rules(subnet: Subnet): readonly Rule[] {
    const bridge = this.#bridgeName;
    const range = `${addressText(subnet.base)}/${subnet.bits}`;
    const established = ["-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED"];
    const led = Object.entries(this.#options.ports()).map(([port, target]): Rule => {
      const rule = ["-i", bridge, "-d", gatewayOf(subnet), "-p", "tcp", "--dport", port];
      const to = ["-j", "DNAT", "--to-destination", `127.0.0.1:${target}`];
      return { table: "nat", chain: "PREROUTING", how: "-A", rule: [...rule, ...to] };
    });
    return [
      { table: "nat", chain: "POSTROUTING", how: "-A", rule: ["-s", range, "!", "-d", range, "-j", "MASQUERADE"] },
      // Docker and firewalls forward nothing that is not named.
      { table: "filter", chain: "FORWARD", how: "-I", rule: ["-i", bridge, "-j", "ACCEPT"] },
      { table: "filter", chain: "FORWARD", how: "-I", rule: ["-o", bridge, ...established, "-j", "ACCEPT"] },
      ...led,
    ];
  }

  async #removeBridge(subnet: Subnet | undefined, signal: AbortSignal): Promise<void> {
    this.#subnet = undefined;
    await runCommand("ip", ["link", "delete", this.#bridgeName], this.#ip(signal));
    if (subnet !== undefined) await this.#clearRules(subnet, signal);
  }

  /** Whatever rules there are of ours: those of an earlier process may have led to other ports. */
  async #clearRules(subnet: Subnet, signal: AbortSignal): Promise<void> {
    const range = `${addressText(subnet.base)}/${subnet.bits}`;
    for (const table of ["nat", "filter"]) {
      const listed = await runCommand("iptables", ["-w", "-t", table, "-S"], this.#ip(signal)).catch(() => undefined);
      const ours = (listed?.stdout.toString("utf8") ?? "")
        .split("\n")
        .map((line) => line.split(" "))
        .filter(([how, ...words]) => how === "-A" && (words.includes(this.#bridgeName) || words.includes(range)));
      for (const [, ...rule] of ours)
        await runCommand("iptables", ["-w", "-t", table, "-D", ...rule], this.#ip(signal));
    }
  }

  async #batch(before: readonly string[], lines: readonly string[], signal: AbortSignal): Promise<void> {
    const input = `${lines.join("\n")}\n`;
    await commandOutput("ip", [...before, "-batch", "-"], { ...this.#ip(signal), input });
  }

  #ip(signal: AbortSignal): { readonly env: Record<string, string>; readonly signal: AbortSignal } {
    return { env: { PATH: this.#options.searchPath }, signal };
  }

  #file(podUid: string): string {
    return join(this.#options.root, podUid, "network.json");
  }
}

/** Of the pod with this address: all our networks have one size. */
function subnetOf(ip: string): Subnet | undefined {
  const address = parseSubnet(ip);
  if (address === undefined) return undefined;
  const bits = 22;
  const size = 2 ** (32 - bits);
  return { base: Math.floor(address.base / size) * size, bits };
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}

/** Name servers as this machine has them; one on its own loopback means nothing in another network. */
export async function resolverText(namespace: string): Promise<string> {
  const own = await readFile("/etc/resolv.conf", "utf8").catch(() => "");
  const direct = /^nameserver\s+127\./m.test(own)
    ? await readFileIfExists("/run/systemd/resolve/resolv.conf")
    : undefined;
  const servers = (direct ?? own).split("\n").filter((line) => /^(?:nameserver|options)\s/.test(line));
  const search = [`${namespace}.svc.cluster.local`, "svc.cluster.local", "cluster.local"].join(" ");
  return [...servers, `search ${search}`, ""].join("\n");
}
