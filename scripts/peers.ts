/**
 * `node scripts/peers.ts [name ...]`: builds the programs that stories and benchmarks measure us with out of their Go
 * modules, at pinned versions, into the user's cache folder. What is there already is left alone. Tests find them with
 * `skipWithout` of `test/support/needs.ts`.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

interface Peer {
  readonly name: string;
  readonly module: string;
  readonly version: string;
  /** The folder of `main` within the module. */
  readonly folder: string;
  /** What its own release build tells the linker, as `name=value`: else it takes itself for no version at all. */
  readonly variables?: readonly string[];
}

const kubeVersion = "k8s.io/component-base/version";

const peers: readonly Peer[] = [
  { name: "helm3", module: "helm.sh/helm/v3", version: "v3.22.0", folder: "/cmd/helm" },
  { name: "helm4", module: "helm.sh/helm/v4", version: "v4.3.1", folder: "/cmd/helm" },
  { name: "etcd", module: "go.etcd.io/etcd/server/v3", version: "v3.6.5", folder: "" },
  {
    name: "kube-apiserver",
    module: "k8s.io/kubernetes",
    version: "v1.33.13",
    folder: "/cmd/kube-apiserver",
    variables: [`${kubeVersion}.gitVersion=v1.33.13`, `${kubeVersion}.gitMajor=1`, `${kubeVersion}.gitMinor=33`],
  },
  {
    name: "kube-controller-manager",
    module: "k8s.io/kubernetes",
    version: "v1.33.13",
    folder: "/cmd/kube-controller-manager",
  },
  { name: "act", module: "github.com/nektos/act", version: "v0.2.89", folder: "" },
];

/** Where the built programs are: `tidegate/peers/bin` of the user's cache folder. */
export function peersFolder(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const cache = env["XDG_CACHE_HOME"] ?? "";
  return join(cache === "" ? join(homedir(), ".cache") : cache, "tidegate", "peers", "bin");
}

class PeerError extends Error {
  override readonly name = "PeerError";
}

function go(args: readonly string[], folder: string): string {
  // Anything of the caller's own Go settings that names a folder or a workspace would send the build elsewhere.
  const env = { ...process.env, GOFLAGS: "-buildvcs=false", GOWORK: "off", GO111MODULE: "on", GOTOOLCHAIN: "auto" };
  const result = spawnSync("go", args, { cwd: folder, env, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  if (result.error !== undefined)
    throw new PeerError(`Cannot run "go": ${result.error.message}: install Go 1.24 or newer`);
  if (result.status === 0) return result.stdout;
  throw new PeerError(`"go ${args.join(" ")}" ended with ${result.status}:\n${result.stderr.slice(-4000)}`);
}

/**
 * `go install module@version` refuses modules that replace others, as those made of several in one repository do. So
 * each is required by a module of our own; what it replaces by its own folders is replaced by what was published of
 * them with the same release: `v1.33.13` of Kubernetes has its parts as `v0.33.13`.
 */
function build(peer: Peer, folder: string): string {
  const { module, version } = peer;
  const downloaded = JSON.parse(go(["mod", "download", "-json", `${module}@${version}`], folder)) as { GoMod: string };
  const manifest = JSON.parse(go(["mod", "edit", "-json", downloaded.GoMod], folder)) as {
    Replace?: readonly { Old: { Path: string }; New: { Path: string; Version?: string } }[];
  };
  go(["mod", "init", "peer"], folder);
  for (const { Old, New } of manifest.Replace ?? []) {
    if (New.Version !== undefined) go(["mod", "edit", `-replace=${Old.Path}=${New.Path}@${New.Version}`], folder);
    else if (module === "k8s.io/kubernetes")
      go(["mod", "edit", `-replace=${Old.Path}=${Old.Path}@${version.replace(/^v1\./, "v0.")}`], folder);
  }
  go(["get", `${module}${peer.folder}@${version}`], folder);
  const binary = join(folder, peer.name);
  const linker = (peer.variables ?? []).map((variable) => `-X ${variable}`).join(" ");
  go(["build", "-trimpath", "-mod=mod", `-ldflags=${linker}`, "-o", binary, `${module}${peer.folder}`], folder);
  return binary;
}

function install(peer: Peer): void {
  const target = peersFolder();
  const stamp = join(target, `.${peer.name}.version`);
  const wanted = `${peer.module}@${peer.version}`;
  if (existsSync(join(target, peer.name)) && existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  const started = performance.now();
  console.error(`Building ${peer.name} ${peer.version}`);
  mkdirSync(target, { recursive: true });
  // Below the target, so that the last step is a rename within one file system and nobody meets half a program.
  const folder = mkdtempSync(join(target, `.build-${peer.name}-`));
  try {
    renameSync(build(peer, folder), join(target, peer.name));
    writeFileSync(stamp, wanted);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  console.error(`Built ${peer.name} ${peer.version} in ${((performance.now() - started) / 1000).toFixed(0)} s`);
}

function main(names: readonly string[]): void {
  const unknown = names.filter((name) => !peers.some((peer) => peer.name === name));
  if (unknown.length > 0) {
    const known = peers.map(({ name }) => name).join(", ");
    console.error(`Cannot build "${unknown.join('", "')}": the peers are ${known}`);
    process.exitCode = 2;
    return;
  }
  for (const peer of peers) {
    if (names.length > 0 && !names.includes(peer.name)) continue;
    try {
      install(peer);
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      console.error(`Cannot build ${peer.name} ${peer.version}: ${error.message}`);
      process.exitCode = 1;
    }
  }
}

if (import.meta.main) main(process.argv.slice(2));
