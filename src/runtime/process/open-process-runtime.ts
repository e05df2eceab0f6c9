/** Starts the process runtime over what an earlier control process left: adopts what runs, records what ended. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, type Ids, type Log, sha256Hex, writeFileAtomic } from "#lib";
import { defaultImageLimits, type ImageLimits, ImageStore } from "../image/image-store.ts";
import { detectAbilities, withSystemFolders } from "../isolation/detect.ts";
import { Isolation } from "../isolation/isolation.ts";
import type { PodRuntime } from "../pod-runtime.ts";
import type { GatewayPort, ImageSourcePort } from "../ports.ts";
import { findContainer, namesIn, noteOutOfMemory, readEnd, removeFolder, writeEnd } from "./container-folder.ts";
import { PodPlaces } from "./pod-places.ts";
import { defaultPortRange, PortAllocator, type PortRange } from "./port-allocator.ts";
import { killMarked, ProcessContainer } from "./process-container.ts";
import { ProcessRuntime } from "./process-runtime.ts";
import { killSessionsOf } from "./session/exec-session.ts";
import { shimScript } from "./shim.ts";

export interface ProcessRuntimeOptions {
  /** Private to this runtime: pods and their logs. An absolute path. */
  readonly podsFolder: string;
  /** Unpacked images. Must be on the same file system as `podsFolder`. */
  readonly imagesFolder: string;
  readonly source: ImageSourcePort;
  /** PATH on which programs are found that an image lacks. */
  readonly hostPath: string;
  /** The Node.js and its code cache for the processes that become isolated containers; default: this process'. */
  readonly nodePath?: string;
  readonly codeCache?: string;
  /** `never` keeps every pod a plain process, also where more could be. */
  readonly isolation?: "when-possible" | "never";
  /** Absent: pods with a network of their own reach nothing of the machine by name. */
  readonly gateway?: GatewayPort;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly portRange?: PortRange;
  readonly imageLimits?: ImageLimits;
  /** A container's log is cut over when it grows beyond; one older part is kept. Default 10 MiB, as kubelet's. */
  readonly logMaxBytes?: number;
  readonly signal: AbortSignal;
}

/** Images without a container are kept this long. */
const imageIdleMs = 7 * 24 * 3_600_000;

export async function openProcessRuntime(options: ProcessRuntimeOptions): Promise<PodRuntime> {
  const { clock, ids, log } = options;
  await mkdir(options.podsFolder, { recursive: true, mode: 0o700 });
  const shim = join(options.podsFolder, "..", "container-shim.sh");
  await writeFileAtomic(shim, shimScript, 0o755);
  const places = new PodPlaces(
    options.podsFolder,
    new PortAllocator(options.portRange ?? defaultPortRange, ids.random()),
  );
  const isolation = await openIsolation(options, places);
  const keepOwners = isolation.isAble;
  // Trees of the two kinds are unpacked differently, so they are kept apart.
  const root = keepOwners ? `${options.imagesFolder}-owned` : options.imagesFolder;
  const limits = options.imageLimits ?? defaultImageLimits;
  const images = new ImageStore({ root, source: options.source, limits, keepOwners, clock, ids });
  const runtime = new ProcessRuntime({
    places,
    images,
    isolation,
    shim,
    hostPath: options.hostPath,
    logMaxBytes: options.logMaxBytes ?? 10 * 1024 * 1024,
    clock,
    ids,
    log,
  });
  await killSessionsOf(places.root);
  await places.restore();
  await isolation.restore(places.pods().map(({ uid }) => uid));
  await Promise.all(places.pods().map((pod) => adoptPod(runtime, places, pod.uid, options)));
  await isolation.tidy(runtime.list().map(({ id }) => id));
  await images.tidy(new Set(runtime.list().map((record) => record.image.digest)), imageIdleMs);
  return runtime;
}

async function openIsolation(options: ProcessRuntimeOptions, places: PodPlaces): Promise<Isolation> {
  const searchPath = withSystemFolders(options.hostPath);
  const unwanted = { isolation: "it is switched off", limits: "it is switched off" };
  const abilities =
    options.isolation === "never" ? unwanted : await detectAbilities(options.podsFolder, searchPath, options.signal);
  const isolation = new Isolation({
    abilities,
    tools: { nodePath: options.nodePath ?? process.execPath, codeCache: options.codeCache ?? "", searchPath },
    podsFolder: places.root,
    gateway: options.gateway,
    id: sha256Hex(places.root).slice(0, 8),
    random: () => options.ids.random(),
    log: options.log,
  });
  options.log.info("How pods are isolated", { isolation: isolation.text });
  return isolation;
}

async function adoptPod(
  runtime: ProcessRuntime,
  places: PodPlaces,
  podUid: string,
  options: ProcessRuntimeOptions,
): Promise<void> {
  for (const name of await namesIn(places.containersOf(podUid))) {
    const folder = join(places.containersOf(podUid), name);
    const container = await adopt(runtime, folder, options);
    if (container !== undefined) runtime.register(container);
  }
}

async function adopt(
  runtime: ProcessRuntime,
  folder: string,
  options: ProcessRuntimeOptions,
): Promise<ProcessContainer | undefined> {
  const found = await findContainer(folder, options.clock, options.signal);
  if (found.kind === "never-started") {
    await removeFolder(folder);
    return undefined;
  }
  const parts = runtime.containerOptions(folder, found.facts);
  if (found.kind === "running") return await ProcessContainer.adopted(parts, found.pid, found.startedAtMs);
  // Also after a recorded end something may be left that hid from its group.
  await killMarked(folder);
  if (await parts.outOfMemory()) await noteOutOfMemory(folder);
  if (found.kind === "exited") return await ProcessContainer.exited(parts, (await readEnd(folder)) ?? found.end);
  await writeEnd(folder, 137, false);
  const now = options.clock.now().epochMilliseconds;
  const stand = { exitCode: 137, startedAtMs: found.startedAtMs, finishedAtMs: now, witnessed: false };
  return await ProcessContainer.exited(parts, (await readEnd(folder)) ?? stand);
}
