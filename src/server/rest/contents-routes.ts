/** Files of a branch: read them, and write each with a commit of its own. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { zeroId, type Repository, type Workshop } from "#git";
import { workflowFolders } from "../wiring/action-files.ts";
import { apiUrl, gitCommitShape, type CommitPlace } from "./commit-shape.ts";
import { forbidden, isJob, reach, whoAsks, workshopOf, type RestParts } from "./face.ts";
import { bytesOf64, type Fields, fieldsOf, queryText } from "./fields.ts";
import { lines64, signatureOf } from "./object-routes.ts";
import { moveRef } from "./ref-routes.ts";
import { placeOf, revision } from "./repository-routes.ts";
import { missingField, notFound, RestError, unprocessable } from "./rest-error.ts";

type Splat = { Params: { owner: string; repo: string; "*": string } };
type Entry = NonNullable<Awaited<ReturnType<Workshop["entries"]>>>[number];

/** GitHub sends no content over this; the blob has it. */
const maxInlineBytes = 1024 * 1024;

export function contentsRoutes(app: FastifyInstance, parts: RestParts): void {
  for (const path of ["/repos/:owner/:repo/contents/*", "/repos/:owner/:repo/contents"]) {
    app.get<Splat>(path, async (request, reply) => await read(parts, request, reply, request.params["*"] ?? ""));
  }
  app.get<Splat>("/repos/:owner/:repo/readme", async (request, reply) => {
    const repository = await reach(parts, request, "contents");
    const shop = await workshopOf(parts, repository, reply);
    const sha = await revision(shop, queryText(request, "ref") ?? repository.defaultBranch);
    const entries = sha === undefined ? [] : ((await shop.readTree(sha)) ?? []);
    const found = entries.find((entry) => /^readme(?:\.\w+)?$/i.test(entry.name));
    if (found === undefined) throw notFound();
    return await read(parts, request, reply, found.name);
  });
  app.put<Splat>("/repos/:owner/:repo/contents/*", async (request, reply) => {
    const fields = fieldsOf(request, "Commit");
    const content = fields.raw("content");
    if (typeof content !== "string") throw missingField("Commit", "content");
    const bytes = bytesOf64(content);
    if (bytes === undefined) throw unprocessable("content is not valid Base64");
    const written = await write(parts, request, reply, fields, bytes);
    return await reply.code(written.created ? 201 : 200).send({ content: written.content, commit: written.commit });
  });
  app.delete<Splat>("/repos/:owner/:repo/contents/*", async (request, reply) => {
    const fields = fieldsOf(request, "Commit");
    // Clients that send no body with DELETE say it in the query.
    const { commit } = await write(parts, request, reply, fields, undefined);
    return { content: null, commit };
  });
}

async function read(parts: RestParts, request: FastifyRequest, reply: FastifyReply, path: string): Promise<unknown> {
  const repository = await reach(parts, request, "contents");
  const shop = await workshopOf(parts, repository, reply);
  const ref = queryText(request, "ref") ?? repository.defaultBranch;
  const sha = await revision(shop, ref);
  if (sha === undefined) {
    const message = `No commit found for the ref ${ref}`;
    throw queryText(request, "ref") === undefined ? notFound() : new RestError("rest/not-found", message);
  }
  const clean = path.replaceAll(/^\/+|\/+$/g, "");
  const place = placeOf(parts, repository);
  const entry = await entryAt(shop, sha, clean);
  if (entry === undefined) throw notFound();
  if (entry.type === "tree") {
    const entries = (await shop.entries(entry.sha, false)) ?? [];
    const below = clean === "" ? "" : `${clean}/`;
    return entries.map((one) => entryShape({ ...one, path: `${below}${one.path}` }, ref, place));
  }
  const object = entry.type === "blob" ? await shop.object(entry.sha) : undefined;
  if (object !== undefined && /\braw\b/.test(request.headers.accept ?? "")) {
    return await reply.type("application/octet-stream").send(object.content);
  }
  const content = object?.content ?? Buffer.alloc(0);
  const inline = content.length <= maxInlineBytes;
  return {
    ...entryShape({ ...entry, path: clean, size: content.length }, ref, place),
    content: inline ? lines64(content) : "",
    encoding: inline ? "base64" : "none",
  };
}

/** The folder or file at a path; undefined when there is neither. */
async function entryAt(shop: Workshop, commit: string, path: string): Promise<Entry | undefined> {
  const tree = (await shop.commitInfo(commit))?.tree;
  if (tree === undefined) return undefined;
  let entry: Entry = { path: "", mode: "040000", type: "tree", sha: tree, size: undefined };
  for (const step of path.split("/").filter((one) => one !== "")) {
    const next = (await shop.entries(entry.sha, false))?.find((one) => one.path === step);
    if (next === undefined) return undefined;
    entry = next;
  }
  return entry;
}

function entryShape(entry: Entry, ref: string, place: CommitPlace): Record<string, unknown> {
  const path = entry.path.split("/").map(encodeURIComponent).join("/");
  const url = `${apiUrl(place)}/contents/${path}?ref=${encodeURIComponent(ref)}`;
  const git = `${apiUrl(place)}/git/${entry.type === "tree" ? "trees" : "blobs"}/${entry.sha}`;
  const kind = entry.type === "tree" ? "dir" : entry.type === "commit" ? "submodule" : "file";
  const type = entry.mode === "120000" ? "symlink" : kind;
  const html = `${place.serverUrl}/${place.repository}/${type === "dir" ? "tree" : "blob"}/${ref}/${path}`;
  return {
    name: entry.path.split("/").at(-1) ?? "",
    path: entry.path,
    sha: entry.sha,
    size: entry.size ?? 0,
    url,
    html_url: html,
    git_url: type === "submodule" ? null : git,
    download_url: type === "file" ? url : null,
    type,
    _links: { self: url, git: type === "submodule" ? null : git, html },
  };
}

interface Written {
  readonly created: boolean;
  readonly content: unknown;
  readonly commit: unknown;
}

/** One file written, or removed when there are no bytes, by a commit on a branch that has not moved meanwhile. */
async function write(
  parts: RestParts,
  request: FastifyRequest<Splat>,
  reply: FastifyReply,
  fields: Fields,
  bytes: Buffer | undefined,
): Promise<Written> {
  const repository = await reach(parts, request, "contents", "write");
  const path = request.params["*"].replaceAll(/^\/+|\/+$/g, "");
  const inWorkflows = workflowFolders.some((folder) => path === folder || path.startsWith(`${folder}/`));
  if (inWorkflows && isJob(whoAsks(request))) throw forbidden(whoAsks(request));
  const option = (name: string): string | undefined => fields.optionalText(name) ?? queryText(request, name);
  const message = option("message");
  if (message === undefined) throw missingField("Commit", "message");
  const branch = (option("branch") ?? repository.defaultBranch).replace(/^refs\/heads\//, "");
  const shop = await workshopOf(parts, repository, reply);
  const ref = `refs/heads/${branch}`;
  const before = await shop.resolve(ref);
  if (before === undefined && (await hasCommits(shop))) {
    throw new RestError("rest/not-found", `Branch ${branch} not found`);
  }
  const there = before === undefined ? undefined : await entryAt(shop, before, path);
  checkSha(path, option("sha"), there, bytes === undefined);
  const tree = await shop.editTree(before, (files) => {
    if (bytes === undefined) files.remove(path);
    else files.write(path, bytes);
  });
  const base = before === undefined ? undefined : await shop.commitInfo(before);
  const author = signatureOf(parts, request, fields.object("author") ?? fields.object("committer"));
  const committer = signatureOf(parts, request, fields.object("committer") ?? fields.object("author"));
  const parents = before === undefined ? [] : [before];
  const newTree = tree ?? base?.tree ?? "";
  const sha = await shop.writeCommit({ tree: newTree, parents, message, author, committer });
  await commitTo(parts, request, repository, { ref, before: before ?? zeroId, after: sha });
  const commit = await shop.commitInfo(sha);
  const entry = bytes === undefined ? undefined : await entryAt(shop, sha, path);
  if (commit === undefined) throw notFound();
  const place = placeOf(parts, repository);
  return {
    created: there === undefined,
    content: entry === undefined ? null : entryShape({ ...entry, path, size: bytes?.length }, branch, place),
    commit: gitCommitShape(commit, place),
  };
}

async function commitTo(
  parts: RestParts,
  request: FastifyRequest,
  repository: Repository,
  move: { readonly ref: string; readonly before: string; readonly after: string },
): Promise<void> {
  try {
    await moveRef(parts, request, repository, move);
  } catch (cause) {
    if ((cause as { code?: string }).code !== "git/ref-conflict") throw cause;
    throw new RestError("rest/conflict", "The branch has moved meanwhile: read it again, then try again", { cause });
  }
}

async function hasCommits(shop: Workshop): Promise<boolean> {
  return (await shop.refsBelow("refs/heads/")).length > 0;
}

/** Whoever replaces a file says which content they have seen. */
function checkSha(path: string, sha: string | undefined, there: Entry | undefined, removing: boolean): void {
  if (there?.type === "tree") throw unprocessable(`"${path}" is a folder`);
  if (there === undefined) {
    if (removing) throw notFound();
    if (sha !== undefined) throw new RestError("rest/conflict", `${path} does not match ${sha}`);
    return;
  }
  if (sha === undefined) throw unprocessable(`Invalid request.\n\n"sha" wasn't supplied.`);
  if (sha !== there.sha) throw new RestError("rest/conflict", `${path} does not match ${sha}`);
}
