/** Deliveries and the walks of the timeline. */
import type { FastifyInstance } from "fastify";
import { applications, type DeliveryView, type RecordedEvent, type Rollout, rollouts } from "#api";
import type { Informers } from "#controller";
import type { Repositories } from "#git";
import type { Timeline } from "#timeline";
import { pushId } from "../chronicle/event-ids.ts";
import { badRequest, notFound } from "./api-error.ts";
import { deliveryView } from "./delivery-view.ts";

export interface DeliveryRoutesOptions {
  readonly timeline: Timeline;
  readonly repositories: Repositories;
  readonly informers: Informers;
}

export function deliveryRoutes(app: FastifyInstance, options: DeliveryRoutesOptions): void {
  app.get<{ Querystring: { limit?: string; before?: string } }>("/deliveries", async ({ query }) => ({
    items: await listDeliveries(options, Math.min(Number(query.limit ?? 30) || 30, 200), query.before),
  }));
  app.get<{ Params: { "*": string } }>("/trace/*", async ({ params }) => {
    const from = params["*"];
    const id = await eventIdOf(options, from);
    const trace = id === undefined ? undefined : await options.timeline.trace(id);
    if (trace === undefined) throw notFound(`commit or event "${from}" on the timeline`);
    return trace;
  });
  app.get<{ Querystring: { limit?: string; before?: string; subject?: string } }>("/timeline", async ({ query }) => ({
    items: await options.timeline.list({
      limit: Number(query.limit ?? 100) || 100,
      ...(query.before === undefined ? {} : { before: Number(query.before) }),
      ...(query.subject === undefined ? {} : { subject: query.subject }),
    }),
  }));
}

async function listDeliveries(
  options: DeliveryRoutesOptions,
  limit: number,
  before: string | undefined,
): Promise<DeliveryView[]> {
  const page = before === undefined ? {} : { before: Number(before) };
  const pushes = await options.timeline.list({ kinds: ["push"], limit: limit * 2, ...page });
  const branches = new Map((await options.repositories.list()).map(({ name, defaultBranch }) => [name, defaultBranch]));
  const onDefault = pushes.filter(
    ({ data }) => data["ref"] === `refs/heads/${branches.get(String(data["repository"])) ?? "main"}`,
  );
  const views: DeliveryView[] = [];
  for (const push of onDefault) {
    if (views.length >= limit) break;
    const events = (await options.timeline.trace(push.id))?.events ?? [];
    // A push that no workflow answered (a README, the environments themselves) is not on its way anywhere.
    if (events.length <= 1) continue;
    const { informers } = options;
    views.push(
      deliveryView({ push, events, rollout: liveRollout(informers, events), movedOn: hasMovedOn(informers, events) }),
    );
  }
  return views;
}

function liveRollout(informers: Informers, events: readonly RecordedEvent[]): Rollout | undefined {
  const release = events.findLast((event) => event.kind === "rollout-started");
  if (release === undefined) return undefined;
  return informers.for(rollouts).get(String(release.data["namespace"]), String(release.data["rollout"]));
}

/** Whether the application of the last sync is at, or on its way to, another commit by now. */
function hasMovedOn(informers: Informers, events: readonly RecordedEvent[]): boolean {
  const sync = events.findLast((event) => event.kind === "sync-started");
  if (sync === undefined) return false;
  const { namespace, application, revision } = sync.data;
  const status = informers.for(applications).get(String(namespace), String(application))?.status;
  const now = status?.operationState?.syncResult?.revision ?? status?.sync?.revision;
  return now !== undefined && now !== revision;
}

/** An event id as it is, or a commit: `owner/repo@sha`, or a sha of any repository, abbreviated to 7 or more. */
async function eventIdOf(options: DeliveryRoutesOptions, text: string): Promise<string | undefined> {
  if (text.includes(":")) return text;
  const [, repository, revision = text] = /^([^@]+)@(.+)$/.exec(text) ?? [];
  if (!/^[\da-f]{7,64}$/i.test(revision))
    throw badRequest(`"${text}" is neither a commit (7 or more of its digits) nor an event id`);
  const names = repository === undefined ? (await options.repositories.list()).map(({ name }) => name) : [repository];
  for (const name of names) {
    const sha = await options.repositories.resolve(name, revision);
    if (sha !== undefined) return pushId(name, sha);
  }
  return undefined;
}
