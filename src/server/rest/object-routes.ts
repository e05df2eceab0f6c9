/** Commits, trees, blobs and tags as git stores them. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { isObjectId, type TreeChange, type Workshop } from "#git";
import { apiUrl, gitCommitShape, type CommitPlace } from "./commit-shape.ts";
import { reach, whoAsks, workshopOf, type Named, type RestParts } from "./face.ts";
import { bytesOf64, type Fields, fieldsOf } from "./fields.ts";
import { loginOf, nodeId } from "./people.ts";
import { placeOf } from "./repository-routes.ts";
import { badField, notFound, unprocessable } from "./rest-error.ts";

type Object = { Params: { owner: string; repo: string; sha: string } };

export function objectRoutes(app: FastifyInstance, parts: RestParts): void {
  commitRoutes(app, parts);
  treeRoutes(app, parts);
  blobRoutes(app, parts);
  tagRoutes(app, parts);
}

function commitRoutes(app: FastifyInstance, parts: RestParts): void {
  app.get<Object>("/repos/:owner/:repo/git/commits/:sha", async (request, reply) => {
    const repository = await reach(parts, request, "contents");
    const shop = await workshopOf(parts, repository, reply);
    const { sha } = request.params;
    const commit = isObjectId(sha) ? await shop.commitInfo(sha) : undefined;
    if (commit === undefined) throw notFound();
    return gitCommitShape(commit, placeOf(parts, repository));
  });
  app.post<Named>("/repos/:owner/:repo/git/commits", async (request, reply) => {
    const repository = await reach(parts, request, "contents", "write");
    const fields = fieldsOf(request, "Commit");
    const shop = await workshopOf(parts, repository, reply);
    const author = signatureOf(parts, request, fields.object("author"));
    const committer = fields.has("committer") ? signatureOf(parts, request, fields.object("committer")) : author;
    const sha = await shop.writeCommit({
      tree: fields.text("tree"),
      parents: fields.texts("parents") ?? [],
      message: fields.text("message"),
      author,
      committer,
    });
    const commit = await shop.commitInfo(sha);
    if (commit === undefined) throw notFound();
    return await reply.code(201).send(gitCommitShape(commit, placeOf(parts, repository)));
  });
}

function treeRoutes(app: FastifyInstance, parts: RestParts): void {
  app.get<Object & { Querystring: { recursive?: string } }>(
    "/repos/:owner/:repo/git/trees/:sha",
    async (request, reply) => {
      const repository = await reach(parts, request, "contents");
      const shop = await workshopOf(parts, repository, reply);
      const found = await treeOf(shop, request.params.sha);
      if (found === undefined) throw notFound();
      // Any value asks for it, "0" and "false" too, as GitHub has it.
      return await treeShape(shop, found, request.query.recursive !== undefined, placeOf(parts, repository));
    },
  );
  app.post<Named>("/repos/:owner/:repo/git/trees", async (request, reply) => {
    const repository = await reach(parts, request, "contents", "write");
    const fields = fieldsOf(request, "Tree");
    const shop = await workshopOf(parts, repository, reply);
    const base = fields.optionalText("base_tree");
    const baseTree = base === undefined ? undefined : await treeOf(shop, base);
    if (base !== undefined && baseTree === undefined) throw unprocessable("base_tree is not a valid tree oid");
    const changes: TreeChange[] = [];
    for (const entry of fields.objects("tree") ?? []) changes.push(await treeChange(shop, entry));
    if (changes.length === 0) throw unprocessable("Invalid tree info");
    const sha = await shop.writeTree(baseTree, changes);
    return await reply.code(201).send(await treeShape(shop, sha, false, placeOf(parts, repository)));
  });
}

const modes = ["100644", "100755", "040000", "160000", "120000"] as const;

async function treeChange(shop: Workshop, entry: Fields): Promise<TreeChange> {
  const path = entry.text("path");
  const mode = entry.oneOf("mode", modes) ?? "100644";
  const content = entry.optionalText("content");
  if (content !== undefined) return { path, mode, sha: await shop.writeBlob(Buffer.from(content)) };
  if (entry.raw("sha") === null) return { path, mode, sha: undefined };
  return { path, mode, sha: entry.text("sha") };
}

/** The tree of a commit, of a branch, or by its own id. */
async function treeOf(shop: Workshop, text: string): Promise<string | undefined> {
  const commit = await shop.resolve(isObjectId(text) ? text : `refs/heads/${text}`);
  if (commit !== undefined) return (await shop.commitInfo(commit))?.tree;
  if (!isObjectId(text)) return undefined;
  return (await shop.object(text))?.type === "tree" ? text : undefined;
}

async function treeShape(shop: Workshop, sha: string, recursive: boolean, place: CommitPlace): Promise<unknown> {
  const entries = (await shop.entries(sha, recursive)) ?? [];
  const url = `${apiUrl(place)}/git`;
  /** GitHub's limit of a listing. */
  const limit = 100_000;
  return {
    sha,
    url: `${url}/trees/${sha}`,
    tree: entries.slice(0, limit).map((entry) => ({
      path: entry.path,
      mode: entry.mode,
      type: entry.type,
      sha: entry.sha,
      ...(entry.size === undefined ? {} : { size: entry.size }),
      ...(entry.type === "commit" ? {} : { url: `${url}/${entry.type}s/${entry.sha}` }),
    })),
    truncated: entries.length > limit,
  };
}

function blobRoutes(app: FastifyInstance, parts: RestParts): void {
  app.get<Object>("/repos/:owner/:repo/git/blobs/:sha", async (request, reply) => {
    const repository = await reach(parts, request, "contents");
    const shop = await workshopOf(parts, repository, reply);
    const { sha } = request.params;
    const object = isObjectId(sha) ? await shop.object(sha) : undefined;
    if (object?.type !== "blob") throw notFound();
    if (/\braw\b/.test(request.headers.accept ?? "")) {
      return await reply.type("application/octet-stream").send(object.content);
    }
    return {
      sha,
      node_id: nodeId("Blob", sha),
      size: object.content.length,
      url: `${apiUrl(placeOf(parts, repository))}/git/blobs/${sha}`,
      content: lines64(object.content),
      encoding: "base64",
    };
  });
  app.post<Named>("/repos/:owner/:repo/git/blobs", async (request, reply) => {
    const repository = await reach(parts, request, "contents", "write");
    const fields = fieldsOf(request, "Blob");
    const content = fields.raw("content");
    if (typeof content !== "string") throw badField("Blob", "content", "content must be a text");
    const encoding = fields.oneOf("encoding", ["utf-8", "base64"]) ?? "utf-8";
    const shop = await workshopOf(parts, repository, reply);
    const bytes = encoding === "base64" ? bytesOf64(content) : Buffer.from(content, "utf8");
    if (bytes === undefined) throw unprocessable("content is not valid Base64");
    const sha = await shop.writeBlob(bytes);
    return await reply.code(201).send({ sha, url: `${apiUrl(placeOf(parts, repository))}/git/blobs/${sha}` });
  });
}

/** Base64 in lines of 60, as GitHub sends it. */
export function lines64(content: Buffer): string {
  return content.toString("base64").replaceAll(/.{1,60}/g, (line) => `${line}\n`);
}

function tagRoutes(app: FastifyInstance, parts: RestParts): void {
  app.get<Object>("/repos/:owner/:repo/git/tags/:sha", async (request, reply) => {
    const repository = await reach(parts, request, "contents");
    const shop = await workshopOf(parts, repository, reply);
    const { sha } = request.params;
    const object = isObjectId(sha) ? await shop.object(sha) : undefined;
    if (object?.type !== "tag") throw notFound();
    return tagShape(sha, object.content.toString("utf8"), placeOf(parts, repository));
  });
  app.post<Named>("/repos/:owner/:repo/git/tags", async (request, reply) => {
    const repository = await reach(parts, request, "contents", "write");
    const fields = fieldsOf(request, "Tag");
    const shop = await workshopOf(parts, repository, reply);
    const sha = await shop.writeTag({
      name: fields.text("tag"),
      object: fields.text("object"),
      type: fields.oneOf("type", ["commit", "tree", "blob", "tag"]) ?? "commit",
      message: fields.text("message"),
      tagger: signatureOf(parts, request, fields.object("tagger")),
    });
    const object = await shop.object(sha);
    const shape = tagShape(sha, object?.content.toString("utf8") ?? "", placeOf(parts, repository));
    return await reply.code(201).send(shape);
  });
}

function tagShape(sha: string, text: string, place: CommitPlace): unknown {
  const at = text.indexOf("\n\n");
  const head = new Map(
    text
      .slice(0, at)
      .split("\n")
      .map((line) => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)] as const),
  );
  const [, name = "", email = "", seconds = "0"] = /^(.*) <(.*)> (\d+)/.exec(head.get("tagger") ?? "") ?? [];
  const url = `${apiUrl(place)}/git`;
  const type = head.get("type") ?? "commit";
  const object = head.get("object") ?? "";
  return {
    node_id: nodeId("Tag", sha),
    tag: head.get("tag") ?? "",
    sha,
    url: `${url}/tags/${sha}`,
    message: text.slice(at + 2),
    tagger: { name, email, date: new Date(Number(seconds) * 1000).toISOString().replace(".000", "") },
    object: { type, sha: object, url: `${url}/${type}s/${object}` },
    verification: { verified: false, reason: "unsigned", signature: null, payload: null },
  };
}

type Signature = Parameters<Workshop["writeCommit"]>[0]["author"];

/** Whoever asks, now, where the body does not say. */
export function signatureOf(
  { clock }: Pick<RestParts, "clock">,
  request: FastifyRequest,
  fields: Fields | undefined,
): Signature {
  const login = loginOf(whoAsks(request).name);
  const date = fields?.time("date") ?? clock.now().epochMilliseconds;
  return {
    name: fields?.optionalText("name") ?? login,
    email: fields?.optionalText("email") ?? `${login.replaceAll(/[^\w.[\]+-]/g, "-")}@users.noreply.tidegate.invalid`,
    date: Temporal.Instant.fromEpochMilliseconds(date).toString({ smallestUnit: "second" }),
  };
}
