/** The product API at `/api/tidegate/v1`: what the console and the command line speak. */
import type { FastifyPluginAsync } from "fastify";
import type { SystemStatus } from "#api";
import type { Tokens } from "#auth";
import type { Clock, Log } from "#lib";
import type { SecretsRoom } from "#secrets";
import { actionRoutes } from "./action-routes.ts";
import type { ApplicationRoutesOptions } from "./application-routes.ts";
import { applicationRoutes } from "./application-routes.ts";
import { answerFailure } from "./api-error.ts";
import { artifactRoutes, type ArtifactRoutesOptions } from "./artifact-routes.ts";
import type { ChangeFeed } from "./change-feed.ts";
import { type ClusterAccess, clusterAccessRoutes } from "./cluster-access-routes.ts";
import { deliveryRoutes, type DeliveryRoutesOptions } from "./delivery-routes.ts";
import { environmentRoutes } from "./environment-routes.ts";
import { eventRoutes } from "./event-routes.ts";
import { mirrorRoutes, type MirrorRoutesOptions } from "./mirror-routes.ts";
import { pullRoutes, type PullRoutesOptions } from "./pull-routes.ts";
import { repositoryRoutes } from "./repository-routes.ts";
import { rolloutRoutes, type RolloutRoutesOptions } from "./rollout-routes.ts";
import { runRoutes, type RunRoutesOptions } from "./run-routes.ts";
import { runnerRoutes } from "./runner-routes.ts";
import { secretRoutes } from "./secret-routes.ts";
import { requireIdentity } from "./session.ts";
import { tokenRoutes } from "./token-routes.ts";
import { workflowRoutes } from "./workflow-routes.ts";

export interface ProductRoutesOptions
  extends
    ApplicationRoutesOptions,
    ArtifactRoutesOptions,
    DeliveryRoutesOptions,
    MirrorRoutesOptions,
    PullRoutesOptions,
    RolloutRoutesOptions,
    RunRoutesOptions {
  readonly tokens: Tokens;
  readonly secrets: SecretsRoom;
  readonly feed: ChangeFeed;
  readonly clock: Clock;
  readonly log: Log;
  readonly controlUrl: () => string;
  readonly clusterAccess: () => ClusterAccess;
  readonly status: () => Promise<SystemStatus>;
  /** @param dataPlane whether routers and pods end too */
  readonly stop: (dataPlane: boolean) => void;
}

export function productRoutes(options: ProductRoutesOptions): FastifyPluginAsync {
  return async (app) => {
    requireIdentity(app, options.tokens);
    app.setErrorHandler((error, request, reply) => answerFailure(error, request, reply, options.log));
    runRoutes(app, options);
    runnerRoutes(app, options);
    workflowRoutes(app, options);
    actionRoutes(app, options);
    artifactRoutes(app, options);
    mirrorRoutes(app, options);
    pullRoutes(app, options);
    deliveryRoutes(app, options);
    applicationRoutes(app, options);
    rolloutRoutes(app, options);
    environmentRoutes(app, options);
    repositoryRoutes(app, options.repositories, options.secrets, options.workflows.environments, options.forge);
    secretRoutes(app, options.secrets, options.repositories);
    tokenRoutes(app, options.tokens, options.controlUrl);
    clusterAccessRoutes(app, options.clusterAccess);
    eventRoutes(app, options.feed, options.clock, options.signal);
    app.get("/status", () => options.status());
    app.post<{ Body: { dataPlane?: boolean } | null }>("/system/stop", (request) => {
      options.stop(request.body?.dataPlane ?? false);
      return {};
    });
    await Promise.resolve();
  };
}
