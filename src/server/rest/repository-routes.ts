/** Repositories, branches, tags, comparisons, archives. */
import { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { permits } from "#api";
import type { Repository, Workshop } from "#git";
import { apiUrl, commitShape, fileShape, maxFiles, type CommitPlace } from "./commit-shape.ts";
import { reach, whoAsks, knows, workshopOf, type Named, type RestParts } from "./face.ts";
import { fieldsOf } from "./fields.ts";
import { forkRepository } from "./fork-repository.ts";
import { paged } from "./paging.ts";
import { nodeId } from "./people.ts";
import { permissionsShape, repositoryShape } from "./repository-shape.ts";
import { forbidden } from "./face.ts";
import { notFound } from "./rest-error.ts";

type Splat = { Params: { owner: string; repo: string; "*": string } };

export function repositoryRoutes(app: FastifyInstance, parts: RestParts): void {
  const { repositories, forge, serverUrl } = parts;
  app.get<Named>("/repos/:owner/:repo", async (request) => await showRepository(parts, request));
  app.get("/user/repos", async (request, reply) => {
    const identity = whoAsks(request);
    const mine = (await repositories.list()).filter((one) => knows(identity, one.name));
    return paged(request, reply, parts.apiServer(), mine).map((one) => ({
      ...repositoryShape(one, serverUrl()),
      permissions: permissionsShape(identity, one),
    }));
  });
  // Asked by checkout before it makes a repository of its own.
  app.get<Named>("/repos/:owner/:repo/hash-algorithm", async (request) => {
    await reach(parts, request, "contents");
    return { hash_algorithm: "sha1" };
  });
  app.get<Named>("/repos/:owner/:repo/topics", async (request) => {
    await reach(parts, request, "metadata");
    return { names: [] };
  });
  app.get<Named>("/repos/:owner/:repo/forks", async (request, reply) => {
    const repository = await reach(parts, request, "metadata");
    const identity = whoAsks(request);
    const ids = await forge.pulls.forks.childIds(repository.id);
    const found = await Promise.all(ids.map((id) => repositories.named(id)));
    const forks = found.filter((one) => one !== undefined && knows(identity, one.name));
    return paged(request, reply, parts.apiServer(), forks as Repository[]).map((one) =>
      repositoryShape(one, serverUrl(), true),
    );
  });
  app.post<Named>("/repos/:owner/:repo/forks", async (request, reply) => {
    const parent = await reach(parts, request, "contents");
    const fields = fieldsOf(request, "Repository");
    const identity = whoAsks(request);
    if (!permits(identity, "api", "write")) throw forbidden(identity);
    const owner = fields.optionalText("organization") ?? identity.name;
    const name = fields.optionalText("name") ?? parent.name.split("/")[1] ?? "";
    const fork = await forkRepository(parts, parent, `${owner}/${name}`, identity.name);
    return await reply.code(202).send(repositoryShape(fork, serverUrl(), true));
  });
  branchRoutes(app, parts);
  archiveRoutes(app, parts);
}

async function showRepository(parts: RestParts, request: FastifyRequest): Promise<unknown> {
  const repository = await reach(parts, request, "metadata");
  const { repositories, forge, serverUrl } = parts;
  const identity = whoAsks(request);
  const parentId = await forge.pulls.forks.parentId(repository.id);
  const found = parentId === undefined ? undefined : await repositories.named(parentId);
  const parent = found !== undefined && knows(identity, found.name) ? repositoryShape(found, serverUrl()) : undefined;
  const open = await forge.issues.list(repository.id, { state: "open" });
  return {
    ...repositoryShape(repository, serverUrl(), parentId !== undefined),
    open_issues_count: open.length,
    open_issues: open.length,
    forks_count: (await forge.pulls.forks.childIds(repository.id)).length,
    permissions: permissionsShape(identity, repository),
    ...(parent === undefined ? {} : { parent, source: parent }),
  };
}

function branchRoutes(app: FastifyInstance, parts: RestParts): void {
  const { repositories, serverUrl } = parts;
  app.get<Named>("/repos/:owner/:repo/branches", async (request, reply) => {
    const repository = await reach(parts, request, "contents");
    const shop = await workshopOf(parts, repository, reply);
    const branches = await shop.refsBelow("refs/heads/");
    const place = placeOf(parts, repository);
    const rules = await protectedBranches(parts, repository);
    return paged(request, reply, parts.apiServer(), branches).map(({ ref, sha }) => {
      const name = ref.slice("refs/heads/".length);
      return { name, commit: { sha, url: `${apiUrl(place)}/commits/${sha}` }, protected: rules(name) };
    });
  });
  app.get<Splat>("/repos/:owner/:repo/branches/*", async (request, reply) => {
    const repository = await reach(parts, request, "contents");
    const name = request.params["*"];
    const protection = name.endsWith("/protection");
    const branch = protection ? name.slice(0, -"/protection".length) : name;
    const shop = await workshopOf(parts, repository, reply);
    const sha = (await shop.refsBelow(`refs/heads/${branch}`)).find(({ ref }) => ref === `refs/heads/${branch}`)?.sha;
    const commit = sha === undefined ? undefined : await shop.commitInfo(sha);
    if (commit === undefined) throw notFound();
    const place = placeOf(parts, repository);
    const contexts = await repositories.requiredChecks(repository.name, branch);
    const url = `${apiUrl(place)}/branches/${encodeURIComponent(branch)}`;
    const checks = { strict: false, contexts, checks: contexts.map((context) => ({ context, app_id: null })) };
    const isProtected = (await protectedBranches(parts, repository))(branch);
    if (protection) {
      if (!isProtected) throw notFound();
      return { url: `${url}/protection`, ...(contexts.length === 0 ? {} : { required_status_checks: checks }) };
    }
    return {
      name: branch,
      commit: commitShape(commit, place),
      _links: { self: url, html: `${serverUrl()}/${repository.name}/tree/${branch}` },
      protected: isProtected,
      protection: { enabled: isProtected, required_status_checks: { enforcement_level: "everyone", ...checks } },
      protection_url: `${url}/protection`,
    };
  });
  app.get<Named>("/repos/:owner/:repo/tags", async (request, reply) => {
    const repository = await reach(parts, request, "contents");
    const shop = await workshopOf(parts, repository, reply);
    const url = apiUrl(placeOf(parts, repository));
    const tags = (await shop.refsBelow("refs/tags/")).toReversed();
    return await Promise.all(
      paged(request, reply, parts.apiServer(), tags).map(async ({ ref, sha }) => {
        const name = ref.slice("refs/tags/".length);
        const commit = (await shop.resolve(sha)) ?? sha;
        return {
          name,
          commit: { sha: commit, url: `${url}/commits/${commit}` },
          zipball_url: `${url}/zipball/${ref}`,
          tarball_url: `${url}/tarball/${ref}`,
          node_id: nodeId("Ref", ref),
        };
      }),
    );
  });
  app.get<Splat>("/repos/:owner/:repo/compare/*", async (request, reply) => {
    const repository = await reach(parts, request, "contents");
    const shop = await workshopOf(parts, repository, reply);
    const [base = "", head = ""] = request.params["*"].split("...");
    const [baseSha, headSha] = [await revision(shop, base), await revision(shop, head)];
    if (baseSha === undefined || headSha === undefined) throw notFound();
    const accept = request.headers.accept ?? "";
    const merge = await shop.mergeBase(baseSha, headSha);
    if (accept.includes("diff")) return await plain(reply, await shop.diff(merge, headSha));
    if (accept.includes("patch")) return await plain(reply, await shop.mails(baseSha, headSha));
    return await comparison(parts, repository, shop, {
      base: baseSha,
      head: headSha,
      merge,
      range: request.params["*"],
    });
  });
}

async function comparison(
  parts: RestParts,
  repository: Repository,
  shop: Workshop,
  { base, head, merge, range }: { base: string; head: string; merge: string | undefined; range: string },
): Promise<unknown> {
  const place = placeOf(parts, repository);
  const { left: behind, right: ahead } = await shop.apart(base, head);
  const commits = await shop.commits({ revision: head, without: base, limit: 250 });
  const baseCommit = await shop.commitInfo(base);
  const mergeCommit = merge === undefined ? undefined : await shop.commitInfo(merge);
  if (baseCommit === undefined) throw notFound();
  const status = ahead > 0 && behind > 0 ? "diverged" : ahead > 0 ? "ahead" : behind > 0 ? "behind" : "identical";
  const html = `${place.serverUrl}/${repository.name}/compare/${range}`;
  const files = await shop.files(merge, head);
  return {
    url: `${apiUrl(place)}/compare/${range}`,
    html_url: html,
    permalink_url: html,
    diff_url: `${html}.diff`,
    patch_url: `${html}.patch`,
    base_commit: commitShape(baseCommit, place),
    merge_base_commit: mergeCommit === undefined ? null : commitShape(mergeCommit, place),
    status,
    ahead_by: ahead,
    behind_by: behind,
    total_commits: ahead,
    commits: commits.toReversed().map((commit) => commitShape(commit, place)),
    files: files.slice(0, maxFiles).map((file) => fileShape(file, head, place)),
  };
}

function archiveRoutes(app: FastifyInstance, parts: RestParts): void {
  for (const [path, format, type] of [
    ["tarball", "tar.gz", "application/x-gzip"],
    ["zipball", "zip", "application/zip"],
  ] as const) {
    const send = async (request: FastifyRequest<Splat>, reply: FastifyReply): Promise<FastifyReply> => {
      const repository = await reach(parts, request, "contents");
      const shop = await workshopOf(parts, repository, reply);
      const sha = await revision(shop, request.params["*"] || repository.defaultBranch);
      if (sha === undefined) throw notFound();
      const folder = `${repository.name.replace("/", "-")}-${sha.slice(0, 7)}`;
      void reply.type(type).header("content-disposition", `attachment; filename=${folder}.${format}`);
      return await reply.send(Readable.from(shop.archive(sha, format, folder), { objectMode: false }));
    };
    app.get<Splat>(`/repos/:owner/:repo/${path}/*`, send);
    app.get<Splat>(`/repos/:owner/:repo/${path}`, send);
  }
}

/** A branch, a tag, a full ref or a commit, in the order in which GitHub looks. */
export async function revision(shop: Pick<Workshop, "resolve">, text: string): Promise<string | undefined> {
  const names = text.startsWith("refs/") ? [text] : [`refs/heads/${text}`, `refs/tags/${text}`];
  if (/^(?:heads|tags|pull)\//.test(text)) names.push(`refs/${text}`);
  for (const name of names) {
    const sha = await shop.resolve(name);
    if (sha !== undefined) return sha;
  }
  return /^[0-9a-f]{4,64}$/i.test(text) || text === "HEAD" ? await shop.resolve(text) : undefined;
}

async function protectedBranches(parts: RestParts, { name }: Repository): Promise<(branch: string) => boolean> {
  const rules = await parts.repositories.protections(name);
  return (branch) => rules.some((rule) => rule.branch === branch || matches(rule.branch, branch));
}

/** Globs of branch rules, where `*` stays within a name's part. */
function matches(pattern: string, branch: string): boolean {
  const source = pattern
    .replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll(/\*+/g, (stars) => (stars.length > 1 ? ".*" : "[^/]*"));
  return new RegExp(`^${source}$`).test(branch);
}

export function placeOf(
  parts: Pick<RestParts, "serverUrl" | "apiServer">,
  repository: Pick<Repository, "name">,
): CommitPlace {
  return { serverUrl: parts.serverUrl(), apiServer: parts.apiServer(), repository: repository.name };
}

export async function plain(reply: FastifyReply, content: Buffer): Promise<FastifyReply> {
  return await reply.type("text/plain; charset=utf-8").send(content);
}
