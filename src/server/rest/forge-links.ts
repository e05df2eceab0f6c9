/** Addresses that clients of GitHub know and hand to people: pages of the console, and files of releases. */
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import { whoAsks } from "../api/session.ts";
import { allows, type RestParts } from "./face.ts";
import { sendAsset } from "./release-routes.ts";

type Numbered = { Params: { owner: string; repo: string; number: string } };
type Download = { Params: { owner: string; repo: string; tag: string; file: string } };

export function forgeLinks(parts: RestParts): FastifyPluginAsync {
  return async (app) => {
    const pull = async (request: FastifyRequest<Numbered>, reply: FastifyReply): Promise<FastifyReply> => {
      const { owner, repo, number } = request.params;
      return await reply.redirect(`/pulls/${[owner, repo, number].map(encodeURIComponent).join("/")}`, 302);
    };
    app.get<Numbered>("/:owner/:repo/pull/:number", pull);
    app.get<Numbered>("/:owner/:repo/actions/runs/:number", async (request, reply) =>
      reply.redirect(`/runs/${encodeURIComponent(request.params.number)}`, 302),
    );
    app.get<Download>("/:owner/:repo/releases/download/:tag/:file", async (request, reply) => {
      const { owner, repo, tag, file } = request.params;
      const identity = await whoAsks(request, parts.tokens);
      if (identity === undefined) {
        return await reply.code(401).header("www-authenticate", 'Basic realm="tidegate"').send("A token is needed\n");
      }
      const repository = await parts.repositories.get(`${owner}/${repo}`);
      const known = repository !== undefined && allows(identity, "contents", "read", repository.name);
      const release = known ? await parts.forge.releases.tagged(repository.id, tag) : undefined;
      const asset = release?.assets.find((one) => one.name === file);
      if (asset === undefined) return await reply.code(404).type("text/plain").send("There is no such file\n");
      return await sendAsset(parts, reply, asset);
    });
    await Promise.resolve();
  };
}
