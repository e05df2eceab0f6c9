/** Short forms of long names. Pure. */

export function shortSha(sha: string): string {
  return /^[\da-f]{12,}$/.test(sha) ? sha.slice(0, 7) : sha;
}

/** `refs/heads/main` → `main`, `refs/tags/v1` → `v1`, `refs/pull/7/merge` → `#7`. */
export function shortRef(ref: string): string {
  const pull = /^refs\/pull\/(\d+)\//.exec(ref);
  return pull === null ? ref.replace(/^refs\/(?:heads|tags)\//, "") : `#${pull[1]}`;
}

/** The last part of the name, and enough of a digest to tell two apart. */
export function shortImage(image: string): string {
  const [name = "", digest] = image.split("@");
  const last = name.slice(name.lastIndexOf("/") + 1);
  return digest === undefined ? last : shortSubject(`${last}@${digest}`);
}

/** `acme/shop@<sha>` and `acme/shop@sha256:<digest>`, each with as much as people compare. */
export function shortSubject(subject: string): string {
  return subject.replace(/@([\da-f]{7})[\da-f]{33,57}$/, "@$1").replace(/@(sha256:[\da-f]{12})[\da-f]+$/, "@$1");
}

/** `http://host/owner/repo.git` → `owner/repo`. */
export function shortRepository(url: string): string {
  const path = /^[a-z+]+:\/\/[^/]+\/(.+?)(?:\.git)?\/?$/.exec(url);
  return path?.[1] ?? url;
}

/** A share in percent, rounded down: 100 % means all. */
export function share(part: number, whole: number): string {
  return whole === 0 ? "–" : `${(Math.floor((1000 * part) / whole) / 10).toFixed(1)} %`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** Splits a message where it names a place in a file (`path/file.yaml:12:3`), so that the place can stand out. */
export function splitPlaces(message: string): { readonly text: string; readonly place: boolean }[] {
  const parts: { text: string; place: boolean }[] = [];
  let from = 0;
  for (const match of message.matchAll(/(?:[\w@.-]+\/)*[\w@-][\w@.-]*\.[a-z]{1,12}(?::\d+){1,2}(?!\w)/gi)) {
    if (match.index > from) parts.push({ text: message.slice(from, match.index), place: false });
    parts.push({ text: match[0], place: true });
    from = match.index + match[0].length;
  }
  if (from < message.length) parts.push({ text: message.slice(from), place: false });
  return parts;
}

/** `512 B`, `3.4 kB`, `12 MB`: in thousands, as the command line has it. */
export function fileSize(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const unit = bytes < 1 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1);
  const value = bytes / 1000 ** unit;
  return `${unit === 0 || value >= 10 ? Math.round(value) : value.toFixed(1)} ${units[unit] ?? ""}`;
}
