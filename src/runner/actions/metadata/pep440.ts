/** Versions of Python packages, as PEP 440 reads and writes them. Pure. */

export interface PythonVersion {
  /** As PEP 440 would have it written. */
  readonly normal: string;
  readonly release: readonly number[];
  /** Neither before nor after a release, nor on the way to one. */
  readonly final: boolean;
}

/** PEP 440, appendix B: separators may be left out, and words have short forms. */
const written =
  /^v?(?:(?<epoch>\d+)!)?(?<release>\d+(?:\.\d+)*)(?:[-_.]?(?<pre>a|b|c|rc|alpha|beta|pre|preview)[-_.]?(?<preNumber>\d+)?)?(?:-(?<implicitPost>\d+)|[-_.]?(?<post>post|rev|r)[-_.]?(?<postNumber>\d+)?)?(?:[-_.]?(?<dev>dev)[-_.]?(?<devNumber>\d+)?)?(?:\+(?<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?$/i;

const shortForms: Readonly<Record<string, string>> = { alpha: "a", beta: "b", c: "rc", pre: "rc", preview: "rc" };

export function readPythonVersion(text: string): PythonVersion | undefined {
  const groups = written.exec(text)?.groups;
  if (groups === undefined) return undefined;
  const release = (groups["release"] ?? "").split(".").map(Number);
  const word = groups["pre"]?.toLowerCase();
  const pre = word === undefined ? "" : `${shortForms[word] ?? word}${Number(groups["preNumber"] ?? 0)}`;
  const afterwards = groups["implicitPost"] ?? (groups["post"] === undefined ? undefined : (groups["postNumber"] ?? 0));
  const post = afterwards === undefined ? "" : `.post${Number(afterwards)}`;
  const dev = groups["dev"] === undefined ? "" : `.dev${Number(groups["devNumber"] ?? 0)}`;
  const epoch = Number(groups["epoch"] ?? 0);
  // The official action joins the parts of a local version with what becomes a hyphen in a tag.
  const local = groups["local"] === undefined ? "" : `+${groups["local"].toLowerCase().split(/[-_.]/).join("-")}`;
  return {
    normal: `${epoch === 0 ? "" : `${epoch}!`}${release.join(".")}${pre}${post}${dev}${local}`,
    release,
    final: pre === "" && post === "" && dev === "",
  };
}
