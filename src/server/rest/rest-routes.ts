/**
 * The part of GitHub's REST API that common actions call, at `/api/v3` as on an enterprise server. What is not served
 * answers 404, as GitHub does for what one may not see.
 */
import type { FastifyInstance, FastifyPluginAsync } from "fastify";
import { accountRoutes } from "./account-routes.ts";
import { checkRoutes } from "./check-routes.ts";
import { commitRoutes } from "./commit-routes.ts";
import { contentsRoutes } from "./contents-routes.ts";
import { deploymentRoutes } from "./deployment-routes.ts";
import { environmentSettingsRoutes } from "./environment-settings-routes.ts";
import { requireToken, tagAnswers, type RestParts } from "./face.ts";
import { issueHistoryRoutes } from "./issue-history-routes.ts";
import { issueRoutes } from "./issue-routes.ts";
import { keptRoutes } from "./kept-routes.ts";
import { mergeRoutes } from "./merge-routes.ts";
import { objectRoutes } from "./object-routes.ts";
import { pullRoutes } from "./pull-routes.ts";
import { refRoutes } from "./ref-routes.ts";
import { noteOrigin } from "./request-origin.ts";
import { releaseRoutes, uploadRoute } from "./release-routes.ts";
import { repositoryRoutes } from "./repository-routes.ts";
import { answerRestError, notFound, RestError } from "./rest-error.ts";
import { reviewRoutes } from "./review-routes.ts";
import { runRoutes } from "./run-routes.ts";
import { workflowRoutes } from "./workflow-routes.ts";

/** A blob of 100 MB as base64, GitHub's limit. */
const bodyLimit = 140 * 1024 * 1024;

export function restRoutes(parts: RestParts): FastifyPluginAsync {
  return async (app) => {
    prepare(app, parts);
    app.removeAllContentTypeParsers();
    // Clients that say no type, or another one, mean JSON as well.
    app.addContentTypeParser("*", { parseAs: "string", bodyLimit }, (_request, body, done) => {
      try {
        done(null, body === "" ? {} : JSON.parse(String(body)));
      } catch {
        done(new RestError("rest/bad-request", "Problems parsing JSON"));
      }
    });
    tagAnswers(app);
    accountRoutes(app, parts);
    repositoryRoutes(app, parts);
    refRoutes(app, parts);
    objectRoutes(app, parts);
    contentsRoutes(app, parts);
    mergeRoutes(app, parts);
    commitRoutes(app, parts);
    checkRoutes(app, parts);
    runRoutes(app, parts);
    workflowRoutes(app, parts);
    pullRoutes(app, parts);
    issueRoutes(app, parts);
    issueHistoryRoutes(app, parts);
    keptRoutes(app, parts);
    releaseRoutes(app, parts);
    deploymentRoutes(app, parts);
    environmentSettingsRoutes(app, parts);
    reviewRoutes(app, parts);
    await Promise.resolve();
  };
}

/** Files of releases, at `/api/uploads` as on an enterprise server. */
export function uploadRoutes(parts: RestParts): FastifyPluginAsync {
  return async (app) => {
    prepare(app, parts);
    app.removeAllContentTypeParsers();
    app.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
    uploadRoute(app, parts);
    await Promise.resolve();
  };
}

function prepare(app: FastifyInstance, parts: RestParts): void {
  app.setErrorHandler((error, request, reply) => answerRestError(error, request, reply, parts.log));
  app.setNotFoundHandler((request, reply) => answerRestError(notFound(), request, reply, parts.log));
  noteOrigin(app, parts.publicUrl);
  requireToken(app, parts.tokens);
}
