/** How people write the Go version they want: pure. */
import { basename } from "node:path";
import semver from "semver";

/** `1.21`, `go1.21rc2` and `1.9.2` as semantic versions: `1.21.0`, `1.21.0-rc2`, `1.9.2`. */
export function goSemver(version: string): string {
  const plain = version.replace("go", "").replaceAll(/(beta|rc)/g, "-$1");
  const [numbers = "", ...prerelease] = plain.split("-");
  const parts = numbers.split(".");
  while (parts.length < 3) parts.push("0");
  return [parts.slice(0, 3).join("."), ...prerelease].join("-");
}

export interface GoRange {
  /** Of versions, newest first, the one that is meant. */
  pick(versions: readonly string[]): string | undefined;
}

/** A version, a range, `stable` or `oldstable`. Undefined for what is none. */
export function goRange(written: string): GoRange | undefined {
  if (written === "stable" || written === "oldstable" || written === "latest") {
    return { pick: (versions) => pickStable(versions, written === "oldstable") };
  }
  const exact = /^\d+\.\d+(?:\.\d+)?(?:beta|rc)\d+$/.test(written) ? goSemver(written) : undefined;
  const range = exact ?? (semver.validRange(written) === null ? undefined : written);
  if (range === undefined) return undefined;
  return { pick: (versions) => versions.find((version) => semver.satisfies(version, range)) };
}

function pickStable(versions: readonly string[], older: boolean): string | undefined {
  const released = versions.filter((version) => semver.prerelease(version) === null);
  const [newest] = released;
  if (!older || newest === undefined) return newest;
  const { major, minor } = new semver.SemVer(newest);
  return released.find((version) => semver.satisfies(version, `${major}.${minor - 1}.x`));
}

/** Empty when the file says nothing about Go. */
export function goVersionInFile(text: string, path: string): string {
  const name = basename(path);
  if (name === "go.mod" || name === "go.work") {
    const toolchain = /^toolchain go(1\.\d+(?:\.\d+|rc\d+)?)/m.exec(text)?.[1];
    return toolchain ?? /^go (\d+(?:\.\d+)*)/m.exec(text)?.[1] ?? "";
  }
  if (name === ".tool-versions") return /^golang\s+([^\n#]+)/m.exec(text)?.[1]?.trim() ?? "";
  return text.trim();
}
