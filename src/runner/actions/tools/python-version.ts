/** How people write the Python version they want: pure. */
import { basename } from "node:path";
import semver from "semver";

export interface PythonRange {
  /** As semantic versioning writes it. */
  readonly range: string;
  readonly freethreaded: boolean;
  fits(version: string): boolean;
}

/** `3.12`, `3.x`, `>=3.9 <3.13`, `3.13-dev`, `3.13t`, `3.14.0rc1`. Undefined for what is no version. */
export function pythonRange(written: string, prereleases: boolean): PythonRange | undefined {
  const freethreaded = /^\d+\.\d+(?:\.\d+)?t(?:-dev)?$/.test(written);
  let range = freethreaded ? written.replace("t", "") : written;
  range = range.replace(/^(\d+)\.(\d+)-dev$/, "~$1.$2.0-0");
  range = range.replaceAll(/(\d+\.\d+\.\d+)((?:a|b|rc)\d*)/g, "$1-$2");
  if (prereleases) range = range.replace(/^(\d+)\.(\d+)$/, "~$1.$2.0-0");
  if (semver.validRange(range) === null) return undefined;
  return { range, freethreaded, fits: (version) => semver.satisfies(version, range) };
}

/** `3.14.0rc1` of Python itself is `3.14.0-rc1`. */
export function pythonSemver(version: string): string {
  return version.replace(/^(\d+\.\d+\.\d+)((?:a|b|rc)\d+).*$/, "$1-$2");
}

/** Those that the file asks for; none when it says nothing about Python. */
export function pythonVersionsInFile(text: string, path: string): readonly string[] {
  const name = basename(path);
  const lines = text.split(/\r\n|\r|\n/);
  if (name.endsWith(".toml")) return fromPyproject(lines);
  if (name.includes(".tool-versions")) {
    return lines.flatMap((line) => /^\s*python\s*v?\s*(\S+)\s*$/.exec(line)?.[1] ?? []).slice(0, 1);
  }
  if (name.includes("Pipfile")) {
    const version = tomlText(lines, "requires", "python_full_version") ?? tomlText(lines, "requires", "python_version");
    return version === undefined ? [] : [version];
  }
  return lines
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split("/")[0] ?? line);
}

function fromPyproject(lines: readonly string[]): readonly string[] {
  const hasProject = lines.some((line) => line.trim() === "[project]");
  const written = hasProject
    ? tomlText(lines, "project", "requires-python")
    : tomlText(lines, "tool.poetry.dependencies", "python");
  if (written === undefined) return [];
  const range = semver.validRange(written.split(",").join(" "), true);
  return range === null ? [] : [range];
}

/** A text of a table, which is all that is needed of TOML here. */
function tomlText(lines: readonly string[], table: string, key: string): string | undefined {
  let current = "";
  for (const line of lines) {
    const header = /^\s*\[([^[\]]+)\]\s*(?:#.*)?$/.exec(line)?.[1];
    if (header !== undefined) current = header.trim();
    else if (/^\s*\[\[/.test(line)) current = "";
    const [, name, , text] = /^\s*"?([\w.-]+)"?\s*=\s*(["'])(.*?)\2/.exec(line) ?? [];
    if (current === table && name === key && text !== undefined) return text;
  }
  return undefined;
}
