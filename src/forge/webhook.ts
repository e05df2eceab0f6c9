/** What another forge tells of a repository that is mirrored here. Pure. */
import { createHmac } from "node:crypto";
import { isObject, secretsEqual } from "#lib";

export type RemoteKind = "github" | "forgejo" | "gitea";

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Gitea and Forgejo send the headers of GitHub and Gitea too; the first that is there counts. */
const signatureHeaders = ["x-hub-signature-256", "x-forgejo-signature", "x-gitea-signature"] as const;
const eventHeaders = ["x-github-event", "x-forgejo-event", "x-gitea-event"] as const;
const deliveryHeaders = ["x-github-delivery", "x-forgejo-delivery", "x-gitea-delivery"] as const;

function headerOf(headers: Headers, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = headers[name];
    if (typeof value === "string" && value !== "") return value;
  }
  return undefined;
}

export interface DeliveryHead {
  readonly id: string;
  readonly event: string;
}

/** Undefined: no webhook of a forge. */
export function deliveryHead(headers: Headers): DeliveryHead | undefined {
  const id = headerOf(headers, deliveryHeaders);
  const event = headerOf(headers, eventHeaders);
  return id === undefined || event === undefined || id.length > 200 ? undefined : { id, event: event.slice(0, 100) };
}

/** Whether it claims to be signed. */
export function bearsSignature(headers: Headers): boolean {
  return headerOf(headers, signatureHeaders) !== undefined;
}

/** Whether whoever sent this knows the secret. Compared in time that does not depend on what is right. */
export function isSigned(headers: Headers, body: Uint8Array, secret: string): boolean {
  const given = headerOf(headers, signatureHeaders)
    ?.replace(/^sha256=/i, "")
    .toLowerCase();
  if (given === undefined || secret === "") return false;
  return secretsEqual(given, createHmac("sha256", secret).update(body).digest("hex"));
}

/** `fetch`: branches or tags have moved. `pull`: something became of a pull request. */
export type RemoteNews =
  | { readonly kind: "fetch"; readonly sender: string }
  | {
      readonly kind: "pull";
      readonly action: string;
      readonly number: number;
      readonly base: { readonly ref: string; readonly sha: string };
      readonly head: { readonly ref: string; readonly sha: string };
      /** The commit that it gave on its base; undefined while it is not merged. */
      readonly merged: string | undefined;
      /** `owner/name` of the repository it is told of; undefined when that is not said. */
      readonly about: string | undefined;
      readonly sender: string;
      readonly payload: Readonly<Record<string, unknown>>;
    }
  | { readonly kind: "nothing"; readonly reason: string };

/** Words of Gitea and Forgejo for what GitHub calls otherwise. */
const actions: Readonly<Record<string, string>> = {
  synchronized: "synchronize",
  label_updated: "labeled",
  label_cleared: "unlabeled",
};

/** An event of our own: branches and tags may have moved without a word, as while this server was down. */
export const lookEvent = "tidegate_look";

export function readNews(event: string, body: unknown): RemoteNews {
  if (!isObject(body)) return { kind: "nothing", reason: "its body is no object" };
  const sender = textAt(body, "sender", "login") ?? "mirror";
  if (["push", "create", "delete", lookEvent].includes(event)) return { kind: "fetch", sender };
  if (event.startsWith("pull_request") && isObject(body["pull_request"])) {
    // Reviews and comments of pull requests have events of their own.
    if (!["pull_request", "pull_request_sync", "pull_request_label"].includes(event)) {
      return { kind: "nothing", reason: `nothing follows from "${event}"` };
    }
    return readPull(body, body["pull_request"], sender);
  }
  return { kind: "nothing", reason: event === "ping" ? "a ping" : `nothing follows from "${event}"` };
}

function readPull(
  body: Readonly<Record<string, unknown>>,
  pull: Readonly<Record<string, unknown>>,
  sender: string,
): RemoteNews {
  const said = body["action"];
  const number = Number(body["number"] ?? pull["number"]);
  const [base, head] = [branchAt(pull, "base"), branchAt(pull, "head")];
  const fits = typeof said === "string" && Number.isSafeInteger(number) && number > 0;
  if (!fits || base === undefined || head === undefined) {
    return { kind: "nothing", reason: "its pull request lacks a number, a base or a head" };
  }
  const commit = pull["merged"] === true ? textAt(pull, "merge_commit_sha") : undefined;
  const merged = commit !== undefined && isCommit(commit) ? commit : undefined;
  const about = textAt(body, "repository", "full_name");
  return { kind: "pull", action: actions[said] ?? said, number, base, head, merged, about, sender, payload: body };
}

function branchAt(
  pull: Readonly<Record<string, unknown>>,
  name: string,
): { readonly ref: string; readonly sha: string } | undefined {
  const [ref, sha] = [textAt(pull, name, "ref"), textAt(pull, name, "sha")];
  return ref === undefined || sha === undefined || !isCommit(sha) ? undefined : { ref, sha };
}

function isCommit(text: string): boolean {
  return /^[0-9a-f]{40,64}$/.test(text);
}

function textAt(value: Readonly<Record<string, unknown>>, ...path: readonly string[]): string | undefined {
  let inner: unknown = value;
  for (const step of path) inner = isObject(inner) ? inner[step] : undefined;
  return typeof inner === "string" && inner !== "" ? inner : undefined;
}

/**
 * The payload as workflows of the mirror get it. The repository over there goes by its name here, so that a head of its
 * own counts as its own; any other head is a stranger's, whatever it is called.
 */
export function localPayload(
  payload: Readonly<Record<string, unknown>>,
  names: { readonly remote: string; readonly local: string },
  action: string,
): Readonly<Record<string, unknown>> {
  const pull = isObject(payload["pull_request"]) ? payload["pull_request"] : {};
  const side = (name: "base" | "head"): Readonly<Record<string, unknown>> => {
    const branch = isObject(pull[name]) ? pull[name] : {};
    const repo = isObject(branch["repo"]) ? branch["repo"] : {};
    const full = typeof repo["full_name"] === "string" ? repo["full_name"] : "";
    const own = full.toLowerCase() === names.remote.toLowerCase();
    return { ...branch, repo: { ...repo, full_name: own ? names.local : `elsewhere/${full}` } };
  };
  const { repository: _there, organization: _org, installation: _app, ...rest } = payload;
  return { ...rest, action, pull_request: { ...pull, base: side("base"), head: side("head") } };
}
