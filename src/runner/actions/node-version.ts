/** How people write the Node version they want: pure. */
import semver from "semver";
import { isObject } from "#lib";

export interface NodeRange {
  fits(version: string): boolean;
}

/** Long-term lines by their code names; `lts/*` is any even major from 4 on. */
const codenames: Readonly<Record<string, number>> = {
  argon: 4,
  boron: 6,
  carbon: 8,
  dubnium: 10,
  erbium: 12,
  fermium: 14,
  gallium: 16,
  hydrogen: 18,
  iron: 20,
  jod: 22,
  krypton: 24,
};

/** Undefined when the text means no version. */
export function nodeRange(text: string): NodeRange | undefined {
  const wanted = text.trim().toLowerCase();
  if (["latest", "current", "node", "*"].includes(wanted)) return { fits: () => true };
  const lts = /^lts\/(.+)$/.exec(wanted)?.[1];
  if (lts === "*") return { fits: (version) => semver.major(version) % 2 === 0 };
  if (lts !== undefined) {
    const major = codenames[lts];
    return major === undefined ? undefined : { fits: (version) => semver.major(version) === major };
  }
  const range = semver.validRange(wanted.replace(/^v(?=\d)/, ""));
  return range === null ? undefined : { fits: (version) => semver.satisfies(version, range) };
}

/** `.nvmrc`, `.node-version`, `.tool-versions` or `package.json`. */
export function versionInFile(text: string, file: string): string | undefined {
  if (file.endsWith("package.json")) return versionInManifest(text);
  const tool = /^(?:nodejs|node)\s+v?([^\s#]+)/m.exec(text)?.[1];
  const plain = text
    .split("\n")
    .map((line) => line.replace(/#.*$/, "").trim())
    .find((line) => line !== "");
  return tool ?? plain;
}

function versionInManifest(text: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  const volta = isObject(value["volta"]) ? value["volta"]["node"] : undefined;
  if (typeof volta === "string") return volta;
  const dev = isObject(value["devEngines"]) ? value["devEngines"]["runtime"] : undefined;
  const runtime: unknown = Array.isArray(dev) ? dev.find((one) => isObject(one) && one["name"] === "node") : dev;
  if (isObject(runtime) && runtime["name"] === "node" && typeof runtime["version"] === "string")
    return runtime["version"];
  const engines = isObject(value["engines"]) ? value["engines"]["node"] : undefined;
  return typeof engines === "string" ? engines : undefined;
}
