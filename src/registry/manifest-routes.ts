/** Manifests, tags and referrers (end-3, 7, 8, 9, 12). */
import type { FastifyReply } from "fastify";
import { readBody } from "./body.ts";
import { RegistryError } from "./errors.ts";
import { mediaTypes } from "./manifest.ts";
import { maxManifestBytes, requireReference } from "./manifests.ts";
import { isDigest, isTag, requireDigest } from "./names.ts";
import type { RegistryPath } from "./request-path.ts";
import type { Call } from "./routes.ts";

type ManifestCall = Call<Extract<RegistryPath, { kind: "manifest" }>>;
type TagsCall = Call<Extract<RegistryPath, { kind: "tags" }>>;
type ReferrersCall = Call<Extract<RegistryPath, { kind: "referrers" }>>;

const maxTagsInPut = 100;
const maxPage = 1000;

export async function getManifest({ registry, request, reply, path }: ManifestCall): Promise<FastifyReply> {
  const stored = await registry.manifest(path.name, requireReference(path.reference));
  if (stored === undefined) throw unknownManifest(path.name, path.reference);
  // Exactly what was pushed, whatever Accept says: its digest is its name.
  void reply
    .header("content-type", stored.mediaType)
    .header("docker-content-digest", stored.digest)
    .header("etag", `"${stored.digest}"`)
    .header("content-length", stored.content.length);
  return request.method === "HEAD" ? await reply.send() : await reply.send(stored.content);
}

export async function putManifest({
  registry,
  request,
  reply,
  path,
  query,
  visitor,
}: ManifestCall): Promise<FastifyReply> {
  const reference = requireReference(path.reference);
  const byDigest = isDigest(reference);
  const tags = byDigest ? tagsOf(query) : [reference];
  const content = await readBody(request.raw, maxManifestBytes);
  const { digest, subject } = await registry.manifests.put(path.name, {
    tags,
    ...(byDigest ? { digest: reference } : {}),
    content,
    mediaType: request.headers["content-type"],
    pusher: visitor.name,
  });
  if (subject !== undefined) void reply.header("oci-subject", subject);
  if (byDigest && tags.length > 0) void reply.header("oci-tag", tags.join(", "));
  return await reply
    .code(201)
    .header("location", `/v2/${path.name}/manifests/${digest}`)
    .header("docker-content-digest", digest)
    .send();
}

/** end-7b: `PUT manifests/<digest>?tag=a&tag=b`. */
function tagsOf(query: URLSearchParams): readonly string[] {
  const tags = [...new Set(query.getAll("tag"))];
  const bad = tags.find((tag) => !isTag(tag));
  if (bad === undefined && tags.length <= maxTagsInPut) return tags;
  const found = bad === undefined ? `more than ${maxTagsInPut} tags` : `"${bad.slice(0, 160)}" is not a tag`;
  throw new RegistryError("MANIFEST_INVALID", 400, `Cannot tag the manifest: ${found}`);
}

export async function deleteManifest({ registry, reply, path }: ManifestCall): Promise<FastifyReply> {
  const reference = requireReference(path.reference);
  const { manifests } = registry;
  const deleted = isDigest(reference)
    ? await manifests.delete(path.name, reference)
    : await manifests.deleteTag(path.name, reference);
  if (!deleted) throw unknownManifest(path.name, reference);
  return await reply.code(202).send();
}

export async function listTags({ registry, reply, path, query }: TagsCall): Promise<FastifyReply> {
  if (!(await registry.exists(path.name))) {
    throw new RegistryError("NAME_UNKNOWN", 404, `Cannot find repository "${path.name}"`, { detail: path.name });
  }
  const limit = pageSize(query);
  const last = query.get("last") ?? undefined;
  if (limit === 0) return await reply.send({ name: path.name, tags: [] });
  // One more than asked for tells whether there is a next page.
  const page = { ...(last === undefined ? {} : { last }), ...(limit === undefined ? {} : { limit: limit + 1 }) };
  const found = await registry.manifests.tags(path.name, page);
  const tags = limit === undefined ? found : found.slice(0, limit);
  const end = tags.at(-1);
  if (found.length > tags.length && end !== undefined) {
    const next = new URLSearchParams({ n: String(limit), last: end });
    void reply.header("link", `</v2/${path.name}/tags/list?${next.toString()}>; rel="next"`);
  }
  return await reply.send({ name: path.name, tags });
}

/** Never 404: "nothing refers to it" is an answer. */
export async function getReferrers({ registry, reply, path, query }: ReferrersCall): Promise<FastifyReply> {
  const digest = requireDigest(path.digest);
  const artifactType = query.get("artifactType") ?? undefined;
  const last = query.get("last") ?? undefined;
  const found = await registry.manifests.referrers(path.name, digest, {
    limit: maxPage + 1,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(last === undefined ? {} : { last }),
  });
  const manifests = found.slice(0, maxPage).map(({ annotations, artifactType, ...referrer }) => ({
    ...referrer,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  }));
  if (artifactType !== undefined) void reply.header("oci-filters-applied", "artifactType");
  const end = manifests.at(-1);
  if (found.length > maxPage && end !== undefined) {
    const next = new URLSearchParams({ last: end.digest, ...(artifactType === undefined ? {} : { artifactType }) });
    void reply.header("link", `</v2/${path.name}/referrers/${digest}?${next.toString()}>; rel="next"`);
  }
  const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
  return await reply.header("content-type", mediaTypes.ociIndex).send(Buffer.from(JSON.stringify(index)));
}

function pageSize(query: URLSearchParams): number | undefined {
  const text = query.get("n");
  if (text === null) return undefined;
  if (/^\d{1,9}$/.test(text)) return Math.min(Number(text), maxPage);
  throw new RegistryError("SIZE_INVALID", 400, `Cannot list "${text.slice(0, 100)}" tags: n must be a number`);
}

function unknownManifest(name: string, reference: string): RegistryError {
  const message = `Cannot find manifest "${reference}" in "${name}"`;
  return new RegistryError("MANIFEST_UNKNOWN", 404, message, { detail: { reference } });
}
