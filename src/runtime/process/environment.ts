/** The environment of a container process: pure. Nothing of the control process's own environment gets in. */
import { join } from "node:path";
import { sha256Hex } from "#lib";
import type { ContainerSpec } from "../pod-runtime.ts";
import type { ImageConfig } from "../ports.ts";
import { treeParts } from "../image/tree-path.ts";
import { defaultImagePath } from "./command-line.ts";

const markName = "TIDEGATE_CONTAINER";

/**
 * Marks every process of the container in `folder`, also those that left their group. Made of its path, since ids are the same
 * where a data folder was copied, and nobody may end another's containers.
 */
export function marksOf(folder: string): Record<string, string> {
  return { [markName]: sha256Hex(folder).slice(0, 32) };
}

/** The same as it stands in a process' environment. */
export function markOf(folder: string): string {
  return `${markName}=${marksOf(folder)[markName]}`;
}

export interface EnvironmentInput {
  readonly spec: ContainerSpec;
  readonly image: ImageConfig;
  /** The container's. */
  readonly folder: string;
  /** The container's own copy of the image. */
  readonly tree: string;
  /** The pod's private folders. */
  readonly home: string;
  readonly temporary: string;
  readonly hostPath: string;
  readonly programFrom: "image" | "host";
}

export function imageEnvironment(image: ImageConfig): Record<string, string> {
  const pairs = (image.Env ?? []).filter((pair) => pair.indexOf("=") > 0);
  return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]));
}

export function containerEnvironment(input: EnvironmentInput): Record<string, string> {
  const { spec, tree } = input;
  const named = { ...imageEnvironment(input.image), ...spec.env };
  const variables: Record<string, string> = {
    HOME: input.home,
    TMPDIR: input.temporary,
    LANG: "C.UTF-8",
    HOSTNAME: spec.pod.name,
    ...mapPorts(named, spec),
    ...unsaid(spec),
  };
  // HOME of an image names a folder of the image, which a process outside of it does not have.
  if (spec.env["HOME"] === undefined) variables["HOME"] = input.home;
  variables["PATH"] = searchPath(named["PATH"] ?? defaultImagePath, input);
  variables["TIDEGATE_ROOT"] = tree;
  variables["TIDEGATE_POD_UID"] = spec.pod.uid;
  return { ...variables, ...marksOf(input.folder) };
}

/** Links are as they were told: their ports are those of other pods. */
function unsaid({ links = {}, env }: ContainerSpec): Record<string, string> {
  return Object.fromEntries(Object.entries(links).filter(([name]) => env[name] === undefined));
}

function searchPath(imagePath: string, input: EnvironmentInput): string {
  const own = imagePath
    .split(":")
    .filter((folder) => folder.startsWith("/"))
    .map((folder) => join(input.tree, ...treeParts(folder)));
  const host = input.hostPath.split(":").filter((folder) => folder !== "");
  return (input.programFrom === "image" ? [...own, ...host] : [...host, ...own]).join(":");
}

/**
 * Pods that are processes share the host's ports, so what a container is told to listen on must be the port it was
 * given. `PORT`, and every variable that ends in `_PORT`, whose value is a declared port of the pod is mapped; `PORT`
 * is set to the container's first port when it names none.
 *
 * Declared 8080 (at 20100) and 9090 (at 20101): `PORT` unset → 20100; `PORT=9090` → 20101; `METRICS_PORT=9090` → 20101;
 * `DB_PORT=5432` stays.
 */
export function mapPorts(named: Readonly<Record<string, string>>, spec: ContainerSpec): Record<string, string> {
  const mapped = spec.network.ports;
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(named)) {
    const port = name === "PORT" || name.endsWith("_PORT") ? mapped[value] : undefined;
    variables[name] = port === undefined ? value : String(port);
  }
  const first = spec.ports[0]?.containerPort;
  if (first !== undefined && mapped[named["PORT"] ?? ""] === undefined) {
    variables["PORT"] = String(mapped[String(first)] ?? first);
  }
  return variables;
}
