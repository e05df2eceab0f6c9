/** `/api/graphql`, as on an enterprise server: one document, one operation of it. Answers 200 with what went wrong. */
import type { FastifyPluginAsync } from "fastify";
import { isObject } from "#lib";
import { requireToken, whoAsks, type RestParts } from "../rest/face.ts";
import { answerRestError, RestError } from "../rest/rest-error.ts";
import { executeOperation } from "./execute.ts";
import { queryRoot } from "./graph.ts";
import { mutationRoot } from "./mutations.ts";
import { type Document, type Operation, parseDocument } from "./parse.ts";

/** A comment has at most 64 Ki characters, each of several bytes. */
const bodyLimit = 1024 * 1024;

export function graphqlRoutes(parts: RestParts): FastifyPluginAsync {
  return async (app) => {
    app.setErrorHandler((error, request, reply) => {
      const ours = error instanceof RestError && error.code === "rest/bad-request";
      if (!ours) return answerRestError(error, request, reply, parts.log);
      return reply.code(200).send({ errors: [{ message: error.message }] });
    });
    requireToken(app, parts.tokens);
    app.removeAllContentTypeParsers();
    app.addContentTypeParser("*", { parseAs: "string", bodyLimit }, (_request, body, done) => {
      try {
        done(null, JSON.parse(String(body)));
      } catch {
        done(new RestError("rest/bad-request", "Problems parsing JSON"));
      }
    });
    app.post("/", async (request) => {
      const body = isObject(request.body) ? request.body : {};
      if (typeof body["query"] !== "string") throw new RestError("rest/bad-request", "A query is needed");
      const document = parseDocument(body["query"]);
      const operation = chosen(document, body["operationName"]);
      const asker = { parts, identity: whoAsks(request) };
      const root = operation.kind === "query" ? queryRoot(asker) : mutationRoot(asker);
      return await executeOperation(document, operation, root, isObject(body["variables"]) ? body["variables"] : {});
    });
    await Promise.resolve();
  };
}

function chosen({ operations }: Document, name: unknown): Operation {
  const wanted = typeof name === "string" ? operations.filter((one) => one.name === name) : operations;
  const [operation, ...others] = wanted;
  if (operation === undefined) throw new RestError("rest/bad-request", "There is no such operation in the document");
  if (others.length > 0) throw new RestError("rest/bad-request", "Say by operationName which operation is meant");
  return operation;
}
