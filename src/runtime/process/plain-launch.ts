/** Containers without a file system of their own: where they run, and which program of image or machine that is. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { RuntimeError } from "../errors.ts";
import type { UnpackedImage } from "../image/image-store.ts";
import { linkTree } from "../image/link-tree.ts";
import type { ContainerSpec } from "../pod-runtime.ts";
import { containerArgv, defaultImagePath, resolveLaunch } from "./command-line.ts";
import type { ContainerFacts } from "./container-folder.ts";
import { containerEnvironment, imageEnvironment } from "./environment.ts";
import { ContainerPlace } from "./place.ts";
import type { PodPlaces } from "./pod-places.ts";
import type { PreparedCommand, PreparedLaunch } from "./prepared-launch.ts";
import { archiveInTree } from "./session/archive-in-tree.ts";

export interface PlainLaunchInput {
  readonly spec: ContainerSpec;
  readonly image: UnpackedImage;
  /** The container's folder. */
  readonly folder: string;
  readonly places: PodPlaces;
  readonly hostPath: string;
  readonly signal: AbortSignal;
}

export async function plainLaunch(input: PlainLaunchInput): Promise<PreparedLaunch> {
  const { spec, image, folder, places, hostPath } = input;
  const tree = join(folder, "root");
  await linkTree(image.tree, tree, input.signal);
  const place = new ContainerPlace(tree, places.volumesOf(spec.pod.uid), spec.mounts);
  await place.linkMounts();
  const workingDir = await workingDirOf(place, spec, image);
  const imagePath = spec.env["PATH"] ?? imageEnvironment(image.config)["PATH"] ?? defaultImagePath;
  const locate = (path: string): Promise<string | undefined> => place.locate(path);
  const launch = await resolveLaunch(containerArgv(image.config, spec), { locate, workingDir, imagePath, hostPath });
  const { home, temporary } = places.privateFolders(spec.pod.uid);
  const programFrom = launch.from;
  const environment = containerEnvironment({
    spec,
    image: image.config,
    folder,
    tree,
    home,
    temporary,
    hostPath,
    programFrom,
  });
  return { argv: launch.argv, workingDir, environment };
}

async function workingDirOf(place: ContainerPlace, spec: ContainerSpec, image: UnpackedImage): Promise<string> {
  const wanted = spec.workingDir ?? image.config.WorkingDir ?? "/";
  const found = await place.locate(wanted === "" ? "/" : wanted);
  if (found === undefined) {
    const message = `Cannot use working directory "${wanted}": a loop of symbolic links`;
    throw new RuntimeError("runtime/start-failed", message);
  }
  await mkdir(found, { recursive: true });
  return found;
}

export interface PlainCommandInput {
  readonly facts: ContainerFacts;
  readonly folder: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly places: PodPlaces;
  readonly hostPath: string;
  /** See `Surroundings`. */
  readonly prefer: "image" | "host";
}

export async function plainCommand(input: PlainCommandInput): Promise<PreparedCommand> {
  const { facts, folder, command, environment, places, hostPath, prefer } = input;
  const place = new ContainerPlace(join(folder, "root"), places.volumesOf(facts.pod.uid), facts.mounts ?? []);
  const locate = (path: string): Promise<string | undefined> => place.locate(path);
  const asked = prefer === "image" ? await archiveInTree(command, place.tree) : command;
  const { workingDir } = facts;
  const at = { locate, workingDir, imagePath: defaultImagePath, hostPath, prefer };
  return { argv: (await resolveLaunch(asked, at)).argv, workingDir, environment };
}
