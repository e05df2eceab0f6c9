/** As whom a container runs: the image's USER and the pod's wish, looked up in the image's own passwd and group. */
import { readFile } from "node:fs/promises";
import { RuntimeError } from "../errors.ts";
import { resolveInTree } from "../image/tree-path.ts";
import type { ContainerSecurity } from "../pod-runtime.ts";
import { groupsOf } from "../security.ts";

export interface ContainerUser {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  readonly home: string;
}

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/** Of files that an image brings: more would be no passwd. */
const maxBytes = 1024 * 1024;

export async function containerUser(
  tree: string,
  imageUser: string | undefined,
  security: ContainerSecurity | undefined,
): Promise<ContainerUser> {
  const passwd = parsePasswd(await textOf(tree, "/etc/passwd"));
  const group = await textOf(tree, "/etc/group");
  return chooseUser(passwd, group, imageUser, security);
}

/** Pure: what USER means (`node`, `1000`, `node:staff`, `1000:1000`), and what the pod says over it. */
export function chooseUser(
  passwd: readonly PasswdEntry[],
  group: string,
  imageUser: string | undefined,
  security: ContainerSecurity | undefined,
): ContainerUser {
  const [userText = "", groupText] = (imageUser ?? "").split(":");
  const named = passwd.find(({ name }) => name === userText);
  const numbered = /^\d+$/.test(userText) ? Number(userText) : undefined;
  if (userText !== "" && named === undefined && numbered === undefined && security?.runAsUser === undefined) {
    throw new RuntimeError(
      "runtime/start-failed",
      `unable to find user ${userText}: no matching entries in passwd file`,
    );
  }
  const uid = security?.runAsUser ?? named?.uid ?? numbered ?? 0;
  const entry = passwd.find((candidate) => candidate.uid === uid);
  const ownGroup = security?.runAsUser === undefined ? groupNumber(group, groupText) : undefined;
  const gid = security?.runAsGroup ?? ownGroup ?? entry?.gid ?? 0;
  const listed = entry === undefined ? [] : memberships(group, entry.name);
  const groups = [...new Set([gid, ...listed, ...(security === undefined ? [] : groupsOf(security))])];
  return { uid, gid, groups, home: entry?.home ?? "/" };
}

export function parsePasswd(text: string): PasswdEntry[] {
  return text.split("\n").flatMap((line) => {
    const [name = "", , uid = "", gid = "", , home = ""] = line.split(":");
    const isEntry = name !== "" && /^\d+$/.test(uid) && /^\d+$/.test(gid);
    return isEntry ? [{ name, uid: Number(uid), gid: Number(gid), home: home === "" ? "/" : home }] : [];
  });
}

function groupNumber(text: string, wanted: string | undefined): number | undefined {
  if (wanted === undefined || wanted === "") return undefined;
  const found = groupLines(text).find(({ name }) => name === wanted)?.gid;
  if (found !== undefined) return found;
  if (/^\d+$/.test(wanted)) return Number(wanted);
  throw new RuntimeError("runtime/start-failed", `unable to find group ${wanted}: no matching entries in group file`);
}

function memberships(text: string, user: string): number[] {
  return groupLines(text).flatMap(({ gid, members }) => (members.includes(user) ? [gid] : []));
}

function groupLines(text: string): { name: string; gid: number; members: string[] }[] {
  return text.split("\n").flatMap((line) => {
    const [name = "", , gid = "", members = ""] = line.split(":");
    return name !== "" && /^\d+$/.test(gid) ? [{ name, gid: Number(gid), members: members.split(",") }] : [];
  });
}

async function textOf(tree: string, path: string): Promise<string> {
  const found = await resolveInTree(tree, path, true);
  if (found === undefined) return "";
  try {
    return (await readFile(found)).subarray(0, maxBytes).toString("utf8");
  } catch {
    // An image without users.
    return "";
  }
}
