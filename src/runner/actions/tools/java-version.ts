/** How people write the Java version they want, and what a JDK says of itself: pure. */
import { basename } from "node:path";
import semver from "semver";

export interface JavaRange {
  readonly stable: boolean;
  fits(version: string): boolean;
}

/** `17`, `17.0`, `21.0.2+13`, `11.x`, `>=17`, `22-ea`, `latest`. Undefined for what is none. */
export function javaRange(written: string): JavaRange | undefined {
  const text = written.trim().toLowerCase();
  const early = /-ea(?:\.\d+)?$/.test(text);
  const plain = text === "latest" ? "x" : early ? text.replace(/-ea\.?/, "+").replace(/\+$/, "") : text;
  const range = /^\d+(?:\.\d+){3,}$/.test(plain) ? fourParts(plain) : plain;
  if (semver.validRange(range) === null) return undefined;
  const exact = semver.parse(range);
  return {
    stable: !early,
    fits: (version) => {
      if (semver.valid(version) === null) return false;
      // Ranges do not look at builds, but `21.0.2+13` means that build.
      if (exact !== null && exact.build.length > 0) return semver.compareBuild(range, version) === 0;
      return semver.satisfies(version, range);
    },
  };
}

/** `11.0.9.1` is `11.0.9+1`. */
function fourParts(version: string): string {
  const parts = version.split(".");
  return `${parts.slice(0, 3).join(".")}+${parts.slice(3).join(".")}`;
}

export interface JavaFacts {
  readonly version: string;
  readonly implementor: string;
}

/** The file `release` of a JDK. */
export function readJavaRelease(text: string): JavaFacts | undefined {
  const value = (name: string): string => new RegExp(`^${name}="(.*)"$`, "m").exec(text)?.[1] ?? "";
  const runtime = /^(\d+(?:\.\d+)*(?:\+\d+)?)/.exec(value("JAVA_RUNTIME_VERSION"))?.[1];
  const written = runtime ?? value("JAVA_VERSION");
  if (!/^\d/.test(written)) return undefined;
  const [numbers = "", build] = written.replace(/^1\.8\.0_/, "8.0.").split("+");
  const parts = numbers.split(".");
  while (parts.length < 3) parts.push("0");
  const builds = [...parts.slice(3), ...(build === undefined ? [] : [build])].join(".");
  const version = `${parts.slice(0, 3).join(".")}${builds === "" ? "" : `+${builds}`}`;
  return { version, implementor: value("IMPLEMENTOR") };
}

/** `.java-version`, `.tool-versions` or `.sdkmanrc`. */
export function javaVersionInFile(text: string, path: string): { version: string; vendor?: string } | undefined {
  const name = basename(path);
  const pattern =
    name === ".tool-versions"
      ? /^java\s+(?:(?<vendor>[^\s\d]\S*?)-)?(?<version>\d+(?:\.\d+)*(?:\+\d+)?)/m
      : name === ".sdkmanrc"
        ? /^java\s*=\s*(?<version>\d[^-\s]*)(?:-(?<vendor>[a-z0-9]+))?/m
        : /(?:^|\s|-)(?<version>\d\S*)(?:\s|$)/;
  const { version, vendor } = pattern.exec(text)?.groups ?? {};
  if (version === undefined) return undefined;
  const plain = version.replace(/^1\./, "").split("-")[0] ?? version;
  return { version: plain, ...(vendor === undefined ? {} : { vendor }) };
}
