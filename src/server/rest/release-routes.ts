/** Releases with their files, and notes made of what was merged. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { ReleaseChange, ReleaseView } from "#forge";
import { isRefName, zeroId, type Repository } from "#git";
import { reach, whoAsks, workshopOf, type Named, type Numbered, type RestParts } from "./face.ts";
import { type Fields, fieldsOf, numberOf, queryText } from "./fields.ts";
import { paged } from "./paging.ts";
import { loginOf } from "./people.ts";
import { moveRef } from "./ref-routes.ts";
import { assetShape, releaseShape } from "./release-shape.ts";
import { placeOf, revision } from "./repository-routes.ts";
import { badField, missingField, notFound } from "./rest-error.ts";

const base = "/repos/:owner/:repo/releases";

export function releaseRoutes(app: FastifyInstance, parts: RestParts): void {
  const { forge } = parts;
  app.get<Named>(base, async (request, reply) => {
    const repository = await reach(parts, request, "contents");
    const all = await forge.releases.list(repository.id);
    return paged(request, reply, parts.apiServer(), all).map((one) => releaseShape(one, placeOf(parts, repository)));
  });
  app.get<Named>(`${base}/latest`, async (request) => {
    const repository = await reach(parts, request, "contents");
    return shown(parts, repository, await forge.releases.latest(repository.id));
  });
  app.get<{ Params: { owner: string; repo: string; "*": string } }>(`${base}/tags/*`, async (request) => {
    const repository = await reach(parts, request, "contents");
    return shown(parts, repository, await forge.releases.tagged(repository.id, request.params["*"]));
  });
  app.get<Numbered>(`${base}/:number`, async (request) => {
    const repository = await reach(parts, request, "contents");
    return shown(parts, repository, await forge.releases.get(repository.id, numberOf(request.params.number)));
  });
  app.post<Named>(base, async (request, reply) => {
    const repository = await reach(parts, request, "contents", "write");
    const fields = fieldsOf(request, "Release");
    const tag = tagOf(fields.text("tag_name"));
    const target = fields.optionalText("target_commitish") ?? repository.defaultBranch;
    const change = { ...changeOf(fields), tag, target };
    const notes = await notesFor(parts, request, reply, repository, fields, change);
    // The tag first: a release that is told of has its commit.
    if (change.draft !== true) await ensureTag(parts, request, reply, repository, { tag, target });
    const release = await forge.releases.create(repository, { ...change, ...notes }, whoAsks(request).name);
    return await reply.code(201).send(releaseShape(release, placeOf(parts, repository)));
  });
  app.patch<Numbered>(`${base}/:number`, async (request, reply) => {
    const repository = await reach(parts, request, "contents", "write");
    const fields = fieldsOf(request, "Release");
    const id = numberOf(request.params.number);
    const before = await forge.releases.get(repository.id, id);
    if (before === undefined) throw notFound();
    const wantedTag = fields.optionalText("tag_name");
    const tag = wantedTag === undefined ? before.tag : tagOf(wantedTag);
    const target = fields.optionalText("target_commitish") ?? before.target;
    const change = { ...changeOf(fields), tag, target };
    if (!(change.draft ?? before.draft)) await ensureTag(parts, request, reply, repository, { tag, target });
    const release = await forge.releases.update(repository, id, change, whoAsks(request).name);
    return releaseShape(release, placeOf(parts, repository));
  });
  app.delete<Numbered>(`${base}/:number`, async (request, reply) => {
    const repository = await reach(parts, request, "contents", "write");
    const id = numberOf(request.params.number);
    for (const file of await forge.releases.delete(repository, id, whoAsks(request).name))
      await forge.assets.remove(file);
    return await reply.code(204).send();
  });
  app.post<Named>(`${base}/generate-notes`, async (request, reply) => {
    const repository = await reach(parts, request, "contents", "write");
    const fields = fieldsOf(request, "Release");
    const tag = tagOf(fields.text("tag_name"));
    const target = fields.optionalText("target_commitish") ?? repository.defaultBranch;
    const previous = fields.optionalText("previous_tag_name");
    return { name: tag, body: await releaseNotes(parts, repository, reply, { tag, target, previous }) };
  });
  assetRoutes(app, parts);
}

function shown(parts: RestParts, repository: Repository, release: ReleaseView | undefined): unknown {
  if (release === undefined) throw notFound();
  return releaseShape(release, placeOf(parts, repository));
}

function changeOf(fields: Fields): ReleaseChange {
  return {
    name: fields.nullableText("name"),
    body: fields.nullableText("body"),
    draft: fields.flag("draft"),
    prerelease: fields.flag("prerelease"),
  };
}

function tagOf(text: string): string {
  const tag = text.replace(/^refs\/tags\//, "");
  if (isRefName(`refs/tags/${tag}`)) return tag;
  throw badField("Release", "tag_name", `"${tag}" is no tag name`);
}

async function ensureTag(
  parts: RestParts,
  request: FastifyRequest,
  reply: FastifyReply,
  repository: Repository,
  { tag, target }: { readonly tag: string; readonly target: string },
): Promise<void> {
  const shop = await workshopOf(parts, repository, reply);
  const ref = `refs/tags/${tag}`;
  if ((await shop.resolve(ref)) !== undefined) return;
  const after = await revision(shop, target);
  if (after === undefined) throw badField("Release", "target_commitish", `There is no branch or commit "${target}"`);
  await moveRef(parts, request, repository, { ref, before: zeroId, after });
}

async function notesFor(
  parts: RestParts,
  _request: FastifyRequest,
  reply: FastifyReply,
  repository: Repository,
  fields: Fields,
  { tag, target, name, body }: ReleaseChange & { readonly tag: string; readonly target: string },
): Promise<Pick<ReleaseChange, "name" | "body">> {
  if (fields.flag("generate_release_notes") !== true) return {};
  const notes = await releaseNotes(parts, repository, reply, { tag, target, previous: undefined });
  return { name: name ?? tag, body: [body ?? "", notes].filter((part) => part !== "").join("\n\n") };
}

/** What was merged since the tag before, by pull request where there is one. */
async function releaseNotes(
  parts: RestParts,
  repository: Repository,
  reply: FastifyReply,
  { tag, target, previous }: { readonly tag: string; readonly target: string; readonly previous: string | undefined },
): Promise<string> {
  const { forge } = parts;
  const shop = await workshopOf(parts, repository, reply);
  const to = (await shop.resolve(`refs/tags/${tag}`)) ?? (await revision(shop, target));
  if (to === undefined) throw badField("Release", "target_commitish", `There is no branch or commit "${target}"`);
  const releases = await forge.releases.list(repository.id);
  const earlier = previous ?? releases.find((one) => !one.draft && one.tag !== tag)?.tag;
  const from = earlier === undefined ? undefined : await shop.resolve(`refs/tags/${earlier}`);
  if (previous !== undefined && from === undefined)
    throw badField("Release", "previous_tag_name", `There is no tag "${previous}"`);
  const commits = await shop.commits({ revision: to, limit: 1000, ...(from === undefined ? {} : { without: from }) });
  const inRange = new Set(commits.map((commit) => commit.sha));
  const pulls = await forge.pulls.list(repository.id, { state: "closed" });
  const lines = pulls
    .filter((pull) => pull.mergeCommitSha !== null && inRange.has(pull.mergeCommitSha))
    .map((pull) => {
      const url = `${parts.serverUrl()}/${repository.name}/pull/${pull.number}`;
      return `* ${pull.title} by @${loginOf(pull.author)} in ${url}`;
    });
  const range = earlier === undefined ? `commits/${tag}` : `compare/${earlier}...${tag}`;
  const changes = lines.length === 0 ? "" : `## What's Changed\n${lines.join("\n")}\n\n`;
  return `${changes}**Full Changelog**: ${parts.serverUrl()}/${repository.name}/${range}`;
}

function assetRoutes(app: FastifyInstance, parts: RestParts): void {
  const { forge } = parts;
  app.get<Numbered>(`${base}/:number/assets`, async (request, reply) => {
    const repository = await reach(parts, request, "contents");
    const release = await forge.releases.get(repository.id, numberOf(request.params.number));
    if (release === undefined) throw notFound();
    const place = placeOf(parts, repository);
    return paged(request, reply, parts.apiServer(), release.assets).map((asset) =>
      assetShape(asset, release.tag, place),
    );
  });
  const assetAt = async (request: FastifyRequest<Numbered>, verb: "read" | "write") => {
    const repository = await reach(parts, request, "contents", verb);
    const asset = await forge.releases.asset(repository.id, numberOf(request.params.number));
    const release = asset === undefined ? undefined : await forge.releases.get(repository.id, asset.releaseId);
    if (asset === undefined || release === undefined) throw notFound();
    return { repository, asset, release };
  };
  app.get<Numbered>(`${base}/assets/:number`, async (request, reply) => {
    const { repository, asset, release } = await assetAt(request, "read");
    const raw = (request.headers.accept ?? "").includes("application/octet-stream");
    return raw ? await sendAsset(parts, reply, asset) : assetShape(asset, release.tag, placeOf(parts, repository));
  });
  app.patch<Numbered>(`${base}/assets/:number`, async (request) => {
    const { repository, asset, release } = await assetAt(request, "write");
    const fields = fieldsOf(request, "ReleaseAsset");
    const [name, label] = [fields.optionalText("name"), fields.optionalText("label")];
    const change = {
      ...(name === undefined ? {} : { name: assetName(name) }),
      ...(label === undefined ? {} : { label }),
    };
    const updated = await forge.releases.updateAsset(repository.id, asset.id, change);
    return assetShape(updated, release.tag, placeOf(parts, repository));
  });
  app.delete<Numbered>(`${base}/assets/:number`, async (request, reply) => {
    const { repository, asset } = await assetAt(request, "write");
    const file = await forge.releases.deleteAsset(repository.id, asset.id);
    if (file !== undefined) await forge.assets.remove(file);
    return await reply.code(204).send();
  });
}

export async function sendAsset(
  { forge }: Pick<RestParts, "forge">,
  reply: FastifyReply,
  asset: ReleaseView["assets"][number],
): Promise<FastifyReply> {
  if ((await forge.assets.size(asset.file)) !== asset.size) throw notFound();
  await forge.releases.downloaded(asset.id);
  const fileName = encodeURIComponent(asset.name);
  void reply
    .type(/^[\w.+-]+\/[\w.+-]+$/.test(asset.contentType) ? asset.contentType : "application/octet-stream")
    .header("content-length", asset.size)
    .header("x-content-type-options", "nosniff")
    .header("content-disposition", `attachment; filename*=UTF-8''${fileName}`);
  return await reply.send(forge.assets.read(asset.file));
}

function assetName(name: string): string {
  if (name.length <= 255 && !/[\\/\p{Cc}]/u.test(name)) return name;
  throw badField("ReleaseAsset", "name", "A name has 1 to 255 characters, none of them a slash");
}

/** `POST /repos/:owner/:repo/releases/:number/assets?name=…`, its body the content. */
export function uploadRoute(app: FastifyInstance, parts: RestParts): void {
  const { forge } = parts;
  app.post<Numbered>(`${base}/:number/assets`, async (request, reply) => {
    const repository = await reach(parts, request, "contents", "write");
    const release = await forge.releases.get(repository.id, numberOf(request.params.number));
    if (release === undefined) throw notFound();
    const name = queryText(request, "name");
    if (name === undefined) throw missingField("ReleaseAsset", "name");
    assetName(name);
    const contentType = (request.headers["content-type"] ?? "application/octet-stream").split(";")[0] ?? "";
    const stored = await forge.assets.store((request.body ?? request.raw) as AsyncIterable<Buffer>);
    try {
      const asset = { ...stored, name, label: queryText(request, "label") ?? "", contentType };
      const made = await forge.releases.addAsset(repository, release.id, asset, whoAsks(request).name);
      return await reply.code(201).send(assetShape(made, release.tag, placeOf(parts, repository)));
    } catch (error) {
      await forge.assets.remove(stored.file);
      throw error;
    }
  });
}
