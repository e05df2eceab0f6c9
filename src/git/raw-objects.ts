/** Git's objects as they are stored. Pure. */
import type { BatchObject } from "./cat-file.ts";
import type { CommitInfo, Signature } from "./plumbing.ts";

/** Undefined for a commit that only git can tell right: in another encoding than UTF-8. */
export function parseCommitObject({ sha, content }: Pick<BatchObject, "sha" | "content">): CommitInfo | undefined {
  const text = content.toString("utf8");
  const end = text.indexOf("\n\n");
  const head = end < 0 ? text : text.slice(0, end);
  // A line that begins with a space goes on with the one before: signatures have several.
  const lines = head.replaceAll(/\n .*/g, "").split("\n");
  const values = (name: string): string[] =>
    lines.flatMap((line) => (line.startsWith(`${name} `) ? [line.slice(name.length + 1)] : []));
  const [tree] = values("tree");
  const author = parseSignature(values("author")[0]);
  const committer = parseSignature(values("committer")[0]);
  if (tree === undefined || author === undefined || committer === undefined) return undefined;
  if (values("encoding").length > 0) return undefined;
  const message = end < 0 ? "" : text.slice(end + 2).replace(/\n+$/, "");
  const [subject = ""] = message.split("\n", 1);
  return { sha, tree, parents: values("parent"), author, committer, message, subject };
}

/** `Ada Lovelace <ada@example.com> 1700000000 +0100` */
function parseSignature(text: string | undefined): Signature | undefined {
  const [, name, email = "", seconds = "", sign = "+", hours = "", minutes = ""] =
    /^(.*?) ?<([^>]*)> (\d{1,12}) ([+-])(\d\d)(\d\d)$/.exec(text ?? "") ?? [];
  if (name === undefined || Number(hours) > 14 || Number(minutes) > 59) return undefined;
  const offset = (Number(hours) * 60 + Number(minutes)) * (sign === "-" ? -1 : 1);
  const local = Temporal.Instant.fromEpochMilliseconds((Number(seconds) + offset * 60) * 1000).toString();
  // As git writes strict ISO 8601: no offset is a Z.
  return { name, email, date: local.replace("Z", offset === 0 ? "Z" : `${sign}${hours}:${minutes}`) };
}

export interface RawEntry {
  readonly name: string;
  readonly mode: string;
  readonly sha: string;
}

/** A tree: `<mode> <name>\0<id in bytes>` again and again. */
export function parseTreeObject({ sha: own, content }: Pick<BatchObject, "sha" | "content">): readonly RawEntry[] {
  const idBytes = own.length / 2;
  const entries: RawEntry[] = [];
  for (let at = 0; at < content.length;) {
    const end = content.indexOf(0, at);
    if (end < 0) break;
    const space = content.indexOf(32, at);
    const mode = content.toString("latin1", at, space);
    const sha = content.toString("hex", end + 1, end + 1 + idBytes);
    entries.push({ mode, name: content.toString("utf8", space + 1, end), sha });
    at = end + 1 + idBytes;
  }
  return entries;
}
