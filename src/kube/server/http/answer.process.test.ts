import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import fastify, { type FastifyInstance } from "fastify";
import { type Answer, send } from "./answer.ts";

function serving(answer: Answer): FastifyInstance {
  const app = fastify({ forceCloseConnections: true });
  app.get("/", async (_request, reply) => await send(reply, answer));
  return app;
}

test("large answers are packed for clients that take it, and for no others", async (t) => {
  const body = { items: Array.from({ length: 20_000 }, (_, index) => `item ${index}`) };
  const app = serving({ kind: "body", code: 200, body });
  t.after(() => app.close());
  for (const [encoding, packed] of [
    ["gzip", true],
    ["deflate, gzip;q=0.5", true],
    ["gzip;q=0", false],
    ["identity", false],
  ] as const) {
    const answer = await app.inject({ url: "/", headers: { "accept-encoding": encoding } });
    assert.equal(answer.headers["content-encoding"], packed ? "gzip" : undefined, encoding);
    const text = packed ? gunzipSync(answer.rawPayload).toString() : answer.body;
    assert.deepEqual(JSON.parse(text), body);
  }
  const small = serving({ kind: "body", code: 200, body: {} });
  t.after(() => small.close());
  const answer = await small.inject({ url: "/", headers: { "accept-encoding": "gzip" } });
  assert.equal(answer.headers["content-encoding"], undefined);
});

test("a client that stops reading a stream is cut off, and one that waits for a quiet stream is not", async (t) => {
  let pulled = 0;
  async function* much(): AsyncGenerator<string> {
    for (;;) {
      pulled += 1;
      yield "x".repeat(64 * 1024);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  const quietEnd = Promise.withResolvers<void>();
  async function* quiet(): AsyncGenerator<string> {
    await quietEnd.promise;
    yield "done";
  }
  const stream = (chunks: AsyncIterable<string>): Answer => ({
    kind: "stream",
    contentType: "text/plain",
    chunks,
    stallMs: 150,
  });
  const [busy, still] = [serving(stream(much())), serving(stream(quiet()))];
  t.after(() => Promise.all([busy.close(), still.close()]));
  const ports = await Promise.all(
    [busy, still].map(async (app) => Number(new URL(await app.listen({ port: 0, host: "127.0.0.1" })).port)),
  );
  const [reader, waiter] = ports.map((port) => connect(port, "127.0.0.1"));
  assert.ok(reader !== undefined && waiter !== undefined);
  for (const socket of [reader, waiter]) socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
  reader.pause();
  const closed = await new Promise<boolean>((resolve) => {
    const look = (): void => {
      busy.server.getConnections((_error, count) => (count === 0 ? resolve(true) : setTimeout(look, 20)));
    };
    setTimeout(look, 100);
  });
  assert.ok(closed);
  const before = pulled;
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(pulled, before, "nothing is read for a client that is gone");
  waiter.setEncoding("utf8");
  const done = new Promise<string>((resolve) => {
    let text = "";
    waiter.on("data", (chunk: string) => {
      text += chunk;
      if (text.includes("done")) resolve(text);
    });
  });
  quietEnd.resolve();
  const text = await done;
  waiter.destroy();
  assert.match(text, /done/);
  reader.destroy();
});
