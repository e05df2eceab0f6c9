import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, request } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { test } from "node:test";
import Fastify from "fastify";
import { systemClock } from "#lib";
import { clientSignal, sendEvents } from "./server-sent-events.ts";

async function* none(): AsyncGenerator<never> {}

test("answers on one kept connection leave nothing behind on it", async () => {
  const stop = new AbortController();
  const signals: AbortSignal[] = [];
  const sockets = new Set<Socket>();
  const app = Fastify();
  app.get("/events", async (incoming, reply) => {
    sockets.add(incoming.raw.socket);
    const mine = clientSignal(reply, stop.signal);
    signals.push(mine);
    await sendEvents(reply, none(), systemClock, mine);
    return reply;
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let listeners: number | undefined;
  try {
    for (let count = 0; count < 15; count++) {
      const asked = request({ port, host: "127.0.0.1", path: "/events", agent }).end();
      const [answer] = (await once(asked, "response")) as [NodeJS.ReadableStream];
      answer.resume();
      await once(answer, "end");
      const [socket] = sockets;
      listeners ??= socket?.listenerCount("close");
      assert.equal(socket?.listenerCount("close"), listeners);
    }
    assert.equal(sockets.size, 1);
    assert.ok(signals.every(({ aborted }) => aborted));
  } finally {
    agent.destroy();
    await app.close();
  }
});
