import type { FastifyInstance } from "fastify";
import type { Clock } from "#lib";
import type { ChangeFeed } from "./change-feed.ts";
import { clientSignal, sendEvents, type ServerSentEvent } from "./server-sent-events.ts";

/** `GET /events`: a `change` for everything a page might show, and `hello` first, upon which a page reads its state anew. */
export function eventRoutes(app: FastifyInstance, feed: ChangeFeed, clock: Clock, signal: AbortSignal): void {
  app.get("/events", async (_request, reply) => {
    const mine = clientSignal(reply, signal);
    await sendEvents(reply, changes(feed, mine), clock, mine);
    return reply;
  });
}

async function* changes(feed: ChangeFeed, signal: AbortSignal): AsyncGenerator<ServerSentEvent> {
  using notices = feed.subscribe(signal);
  yield { name: "hello", data: {} };
  for await (const notice of notices) yield { name: "change", data: notice };
}
