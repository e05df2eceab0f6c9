/** Starts the docker runtime over what the engine has of ours: adopts what runs, removes what nobody knows. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type EngineAddress, EngineClient, engineText } from "#engine";
import { type Clock, type Ids, type Log, readFileIfExists, writeFileAtomic } from "#lib";
import type { PodRuntime } from "../pod-runtime.ts";
import type { ImageSourcePort } from "../ports.ts";
import { DockerImages } from "./docker-images.ts";
import { DockerPods, removeContainer } from "./docker-pods.ts";
import { DockerRuntime } from "./docker-runtime.ts";
import type { EngineInfo, EngineListed } from "./engine-types.ts";
import { installationLabel } from "./labels.ts";
import { needsPublishedPorts } from "./reachability.ts";

export interface DockerRuntimeOptions {
  readonly address: EngineAddress;
  /** Private to this runtime: volumes of pods, and which images they used. An absolute path that the engine sees too. */
  readonly folder: string;
  readonly source: ImageSourcePort;
  readonly allowPrivileged: boolean;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Images without a container are kept this long. */
const imageIdleMs = 7 * 24 * 3_600_000;

/** Throws `runtime/no-engine` when the engine does not answer. */
export async function openDockerRuntime(options: DockerRuntimeOptions): Promise<PodRuntime> {
  const { address, folder, source, allowPrivileged, clock, ids, log, signal } = options;
  const engine = await EngineClient.connect(address, signal);
  const info = await engine.json<EngineInfo>("GET", "/info", { signal });
  const publish = needsPublishedPorts(address, info, process.platform);
  log.info("Pods run in a container engine", { engine: engineText(address), version: info.ServerVersion ?? "" });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const installation = await installationOf(folder, ids);
  const images = new DockerImages({ engine, folder: join(folder, "images"), source, clock, ids, log });
  const pods = new DockerPods({ engine, root: join(folder, "pods"), installation, publish });
  await pods.restore();
  const runtime = new DockerRuntime({ engine, installation, images, pods, allowPrivileged, clock, ids, log });
  const unstarted = new Set(await runtime.table.load(signal));
  await removeRubbish(engine, installation, pods, unstarted, signal);
  await images.tidy(new Set(runtime.list().map((record) => record.image.digest)), imageIdleMs, signal);
  runtime.follow();
  return runtime;
}

/** Stays the same over restarts, and differs from that of other installations on the engine. */
async function installationOf(folder: string, ids: Ids): Promise<string> {
  const file = join(folder, "installation");
  const known = (await readFileIfExists(file))?.trim();
  if (known !== undefined && known !== "") return known;
  const made = ids.suffix(8);
  await writeFileAtomic(file, `${made}\n`);
  return made;
}

/** Sandboxes and containers of pods that have no folder here, and containers that a crash kept from starting. */
async function removeRubbish(
  engine: EngineClient,
  installation: string,
  pods: DockerPods,
  unstarted: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<void> {
  const filters = JSON.stringify({ label: [`${installationLabel}=${installation}`] });
  const all = await engine.json<EngineListed[]>("GET", "/containers/json", { query: { all: 1, filters }, signal });
  for (const { Id, Labels } of all) {
    const uid = Labels?.["tidegate.dev/pod-uid"] ?? "";
    const isSandbox = Labels?.["tidegate.dev/role"] === "sandbox";
    if (!pods.has(uid) || (unstarted.has(Id) && !isSandbox)) await removeContainer(engine, Id, signal);
  }
}
