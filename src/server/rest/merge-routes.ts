/** Branches merged without a pull request. What protects a branch from pushes protects it here. */
import type { FastifyInstance } from "fastify";
import { commitShape } from "./commit-shape.ts";
import { reach, workshopOf, type Named, type RestParts } from "./face.ts";
import { fieldsOf } from "./fields.ts";
import { signatureOf } from "./object-routes.ts";
import { moveRef } from "./ref-routes.ts";
import { placeOf, revision } from "./repository-routes.ts";
import { notFound, RestError } from "./rest-error.ts";

export function mergeRoutes(app: FastifyInstance, parts: RestParts): void {
  app.post<Named>("/repos/:owner/:repo/merges", async (request, reply) => {
    const repository = await reach(parts, request, "contents", "write");
    const fields = fieldsOf(request, "Merge");
    const [base, head] = [fields.text("base"), fields.text("head")];
    const shop = await workshopOf(parts, repository, reply);
    const ref = `refs/heads/${base}`;
    const before = await shop.resolve(ref);
    const theirs = await revision(shop, head);
    if (before === undefined) throw new RestError("rest/not-found", "Base does not exist");
    if (theirs === undefined) throw new RestError("rest/not-found", "Head does not exist");
    if (await shop.isAncestor(theirs, before)) return await reply.code(204).send();
    const merged = await shop.mergeTrees(before, theirs);
    if (merged.kind === "conflict") throw new RestError("rest/conflict", "Merge conflict");
    const author = signatureOf(parts, request, undefined);
    const message = fields.optionalText("commit_message") ?? `Merge ${head} into ${base}`;
    const commit = { tree: merged.tree, parents: [before, theirs], message, author, committer: author };
    const after = await shop.writeCommit(commit);
    await moveRef(parts, request, repository, { ref, before, after });
    const made = await shop.commitInfo(after);
    if (made === undefined) throw notFound();
    return await reply.code(201).send(commitShape(made, placeOf(parts, repository)));
  });
}
