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

/** What a version file says: a version, or the file that says it. */
type VersionInFile = { readonly version: string } | { readonly extends: string } | undefined;

/** `.nvmrc`, `.node-version`, `.tool-versions`, or JSON as in `package.json`. */
export function versionInFile(text: string): VersionInFile {
  const manifest = parsed(text);
  if (isObject(manifest)) return versionInManifest(manifest);
  const tool = /^(?:nodejs|node)\s+v?([^\s#]+)/m.exec(text)?.[1];
  const plain = text
    .split("\n")
    .map((line) => line.replace(/#.*$/, "").trim())
    .find((line) => line !== "");
  const version = tool ?? plain;
  return version === undefined ? undefined : { version };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function versionInManifest(manifest: Readonly<Record<string, unknown>>): VersionInFile {
  const volta = isObject(manifest["volta"]) ? manifest["volta"] : {};
  const dev = isObject(manifest["devEngines"]) ? manifest["devEngines"]["runtime"] : undefined;
  const runtimes = (Array.isArray(dev) ? dev : [dev]).filter(isObject);
  const runtime = runtimes.find(({ name }) => typeof name === "string" && name.toLowerCase() === "node");
  const engines = isObject(manifest["engines"]) ? manifest["engines"]["node"] : undefined;
  const version = [volta["node"], runtime?.["version"], engines].find(
    (one): one is string => typeof one === "string" && one !== "",
  );
  if (version !== undefined) return { version };
  // Of a workspace of Volta, the root says it.
  return typeof volta["extends"] === "string" ? { extends: volta["extends"] } : undefined;
}
