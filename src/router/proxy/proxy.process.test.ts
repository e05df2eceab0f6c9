import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { ask, listenOn, portOf, samples, startBackend, startProxy, tableFor, talk, testHost } from "../testing.ts";

const head = `Host: ${testHost}\r\n`;
const okay = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** A backend that says exactly what it is told, connection by connection. */
async function startRawBackend(
  onConnection: (socket: Socket, count: number) => void,
): Promise<AsyncDisposable & { port: number }> {
  const sockets = new Set<Socket>();
  let count = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    onConnection(socket, ++count);
  });
  await listenOn(server);
  return {
    port: portOf(server),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

test("connections to client and endpoint are kept, and hop-by-hop headers stay at the hop", async () => {
  const ports = new Set<number | undefined>();
  await using backend = await startBackend((incoming, response) => {
    ports.add(incoming.socket.remotePort);
    response.setHeader("Keep-Alive", "timeout=9");
    response.end(JSON.stringify(incoming.headers));
  });
  await using proxy = await startProxy(tableFor(1, [{ ports: [backend.port] }]));
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const headers = {
    "x-forwarded-for": "6.6.6.6",
    "x-request-id": "mine",
    connection: "keep-alive, x-hop",
    "x-hop": "1",
  };
  const first = await ask(proxy.port, { agent, headers });
  const second = await ask(proxy.port, { agent });
  agent.destroy();
  assert.equal(ports.size, 1);
  assert.equal(first.headers["keep-alive"], undefined);
  const seen = JSON.parse(first.body) as Record<string, string>;
  assert.deepEqual(seen, {
    host: testHost,
    "x-forwarded-for": "127.0.0.1",
    "x-forwarded-proto": "http",
    "x-forwarded-host": testHost,
    "x-request-id": "mine",
  });
  assert.match((JSON.parse(second.body) as Record<string, string>)["x-request-id"] ?? "", /^[a-z0-9]{12}-[a-z0-9]+$/);
});

test("three pipelined requests, the first with a body in pieces, are answered in their order", async () => {
  await using backend = await startBackend((incoming, response) => {
    let body = "";
    incoming.on("data", (part: Buffer) => (body += part.toString()));
    incoming.on("end", () =>
      setTimeout(() => response.end(`${incoming.url}=${body};`), incoming.url === "/1" ? 30 : 0),
    );
  });
  await using proxy = await startProxy(tableFor(1, [{ ports: [backend.port] }]));
  const text = await talk(
    proxy.port,
    [
      `POST /1 HTTP/1.1\r\n${head}Content-Length: 4\r\n\r\nab`,
      `cdGET /2 HTTP/1.1\r\n${head}\r\nPOST /3 HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n\r\n2\r\nxy\r\n`,
      `0\r\n\r\n`,
    ],
    /\/3=xy;/,
  );
  assert.deepEqual(text.match(/\/\d=\w*;/g), ["/1=abcd;", "/2=;", "/3=xy;"]);
});

test("a request that arrives byte by byte is answered", async () => {
  await using backend = await startBackend((_incoming, response) => response.end("ok"));
  await using proxy = await startProxy(tableFor(1, [{ ports: [backend.port] }]));
  const text = await talk(proxy.port, `GET / HTTP/1.1\r\n${head}Connection: close\r\n\r\n`.split(""));
  assert.match(text, /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nok$/);
});

test("malformed requests are refused with a short plain answer and the connection is closed", async () => {
  await using proxy = await startProxy(tableFor(1, []));
  for (const [status, text] of [
    [400, `GET / HTTP/1.1\r\n${head}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n`],
    [501, `GET / HTTP/1.1\r\n${head}Transfer-Encoding: gzip\r\n\r\n`],
    [431, `GET / HTTP/1.1\r\n${head}X: ${"x".repeat(40_000)}`],
    [404, "GET / HTTP/1.1\r\nHost: nowhere\r\nConnection: close\r\n\r\n"],
    [503, `GET / HTTP/1.1\r\n${head}Connection: close\r\n\r\n`],
  ] as const) {
    const answer = await talk(proxy.port, [text]);
    assert.match(
      answer,
      new RegExp(`^HTTP/1\\.1 ${status} [^]*Connection: close[^]*\\r\\n\\r\\n${status} .{5,90}\\n$`),
    );
  }
});

test("a malformed chunk ends the request with 400, and the endpoint sees it broken off", async () => {
  const arrived = Promise.withResolvers<void>();
  const broken = Promise.withResolvers<void>();
  await using backend = await startBackend((incoming) => {
    incoming.once("data", () => arrived.resolve());
    incoming.on("error", () => broken.resolve());
  });
  await using proxy = await startProxy(tableFor(1, [{ ports: [backend.port] }]));
  const client = connect({ host: "127.0.0.1", port: proxy.port });
  client.write(`POST / HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`);
  await arrived.promise;
  client.write("5 \r\nhello\r\n");
  const [answer] = (await once(client, "data")) as [Buffer];
  assert.match(answer.toString(), /^HTTP\/1\.1 400 /);
  await broken.promise;
  client.destroy();
});

test("answers end as the backend ends them: chunked, counted, by closing, or without a body", async () => {
  await using backend = await startRawBackend((socket) =>
    socket.on("data", (data: Buffer) => {
      const path = /^[A-Z]+ (\S+)/.exec(data.toString())?.[1];
      if (path === "/chunked")
        socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n");
      else if (path === "/close") socket.end("HTTP/1.1 200 OK\r\n\r\nuntil the end");
      else if (path === "/head") socket.write("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n");
      else if (path === "/204") socket.write("HTTP/1.1 204 No Content\r\n\r\n");
      else if (path === "/hints") socket.write(`HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${okay}`);
      else socket.write(okay);
    }),
  );
  await using proxy = await startProxy(tableFor(1, [{ ports: [backend.port] }]));
  const get = (path: string, version = "1.1", method = "GET"): string => `${method} ${path} HTTP/${version}\r\n${head}`;
  const both = `${get("/chunked")}\r\n${get("/head", "1.1", "HEAD")}\r\n${get("/204")}\r\n${get("/hints")}\r\n${get("/close")}\r\n`;
  const text = await talk(proxy.port, [both]);
  assert.deepEqual(
    text.match(/HTTP\/1\.1 \d+/g)?.map((line) => line.slice(9)),
    ["200", "200", "204", "103", "200", "200"],
  );
  assert.match(text, /3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n/);
  assert.match(text, /Connection: close\r\n\r\nuntil the end$/);
  // HTTP/1.0 knows neither chunks nor interim answers.
  const old = await talk(proxy.port, [`${get("/chunked", "1.0")}\r\n`]);
  assert.match(old, /^HTTP\/1\.1 200 OK\r\nConnection: close\r\n\r\nabc$/);
  const kept = await talk(proxy.port, [`${get("/hints", "1.0")}Connection: keep-alive\r\n\r\n`], /ok$/);
  assert.match(kept, /^HTTP\/1\.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok$/);
});

test("Expect: 100-continue is answered by the endpoint before the body is sent", async () => {
  await using backend = await startBackend((incoming, response) => incoming.pipe(response));
  await using proxy = await startProxy(tableFor(1, [{ ports: [backend.port] }]));
  const outgoing = request({
    port: proxy.port,
    method: "POST",
    headers: { host: testHost, expect: "100-continue", "content-length": 4 },
    agent: false,
  });
  outgoing.flushHeaders();
  await once(outgoing, "continue");
  outgoing.end("body");
  const [response] = (await once(outgoing, "response")) as [AsyncIterable<Buffer>];
  let body = "";
  for await (const part of response) body += part.toString();
  assert.equal(body, "body");
});

test("WebSocket frames pass both ways, count as in flight, and the end of one side ends the other", async () => {
  await using backend = await startBackend((_incoming, response) => response.end());
  backend.server.on("upgrade", (_incoming, socket: Socket, early: Buffer) => {
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfirst,");
    socket.write(early);
    socket.pipe(socket);
  });
  await using proxy = await startProxy(tableFor(1, [{ ports: [backend.port] }]));
  const client = connect({ host: "127.0.0.1", port: proxy.port });
  client.write(`GET /ws HTTP/1.1\r\n${head}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly,`);
  let text = "";
  const echoed = Promise.withResolvers<void>();
  client.on("data", (data: Buffer) => {
    text += data.toString();
    if (text.endsWith("early,")) client.write("late");
    if (text.endsWith("late")) echoed.resolve();
  });
  await echoed.promise;
  assert.match(text, /^HTTP\/1\.1 101 [^]*Upgrade: websocket\r\n\r\nfirst,early,late$/);
  proxy.swap(tableFor(2, []));
  const address = `127.0.0.1:${backend.port}`;
  assert.deepEqual(proxy.draining(), { [address]: 1 });
  client.end();
  await proxy.drained(address, AbortSignal.timeout(5000));
  assert.match(proxy.metrics(), /code="101"\} 1/);
});

test("a large upload waits for a slow endpoint instead of piling up in the router, and arrives whole", async () => {
  const total = 32 * 1024 * 1024;
  const go = Promise.withResolvers<void>();
  let received = 0;
  await using backend = await startBackend((incoming, response) => {
    void go.promise.then(() => {
      incoming.on("data", (part: Buffer) => (received += part.length));
      incoming.on("end", () => response.end(String(received)));
    });
  });
  await using proxy = await startProxy(tableFor(1, [{ ports: [backend.port] }]));
  const outgoing = request({
    port: proxy.port,
    method: "PUT",
    headers: { host: testHost, "content-length": total },
    agent: false,
  });
  const [socket] = (await once(outgoing, "socket")) as [Socket];
  await once(socket, "connect");
  outgoing.end(Buffer.alloc(total));
  // While nobody reads, what has left our hands is what the sockets of three parties buffer: a few MB, not 32.
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.ok(
    socket.writableLength > total / 2,
    `all but ${socket.writableLength} bytes were taken although nobody reads`,
  );
  go.resolve();
  const [response] = (await once(outgoing, "response")) as [AsyncIterable<Buffer>];
  let answer = "";
  for await (const chunk of response) answer += chunk.toString();
  assert.equal(answer, String(total));
});

test("a client that does not read holds the endpoint back, and gets everything once it reads", async () => {
  const total = 32 * 1024 * 1024;
  let blocked = 0;
  await using backend = await startBackend((_incoming, response) => {
    const part = Buffer.alloc(64 * 1024);
    let sent = 0;
    const more = (): void => {
      while (sent < total) {
        sent += part.length;
        if (!response.write(part)) {
          blocked = sent;
          response.once("drain", more);
          return;
        }
      }
      response.end();
    };
    response.setHeader("content-length", total);
    more();
  });
  await using proxy = await startProxy(tableFor(1, [{ ports: [backend.port] }]));
  const outgoing = request({ port: proxy.port, headers: { host: testHost }, agent: false });
  outgoing.end();
  const [response] = (await once(outgoing, "response")) as [AsyncIterable<Buffer>];
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.ok(blocked < total * 0.75, `${blocked} bytes were sent although nobody reads`);
  let received = 0;
  for await (const chunk of response) received += chunk.length;
  assert.equal(received, total);
});

test("a client that goes away aborts its request at the endpoint", async () => {
  const aborted = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  await using backend = await startBackend((_incoming, response) => {
    arrived.resolve();
    response.on("close", () => aborted.resolve());
  });
  await using proxy = await startProxy(tableFor(1, [{ ports: [backend.port] }]));
  const client = connect({ host: "127.0.0.1", port: proxy.port });
  client.write(`GET / HTTP/1.1\r\n${head}\r\n`);
  await arrived.promise;
  client.destroy();
  await aborted.promise;
  assert.match(proxy.metrics(), /code="499"\} 1/);
});

test("an endpoint that closes an idle connection as it is used again costs no harmless request", async () => {
  await using backend = await startRawBackend((socket, count) => {
    let requests = 0;
    socket.on("data", () => {
      // Every first connection dies on its second request without a byte, as one does that was closed as idle.
      if (++requests === 2 && count === 1) socket.destroy();
      else socket.write(okay);
    });
  });
  await using proxy = await startProxy(tableFor(1, [{ ports: [backend.port] }]));
  assert.equal((await ask(proxy.port)).status, 200);
  assert.equal((await ask(proxy.port)).status, 200);
  const retries = samples(proxy.metrics(), "tidegate_router_retries_total");
  assert.deepEqual([...retries.values()], [1]);
});

test("a request with a body is not sent twice when a reused connection closes", async () => {
  let bodies = 0;
  await using backend = await startRawBackend((socket, count) => {
    let requests = 0;
    socket.on("data", (data: Buffer) => {
      if (data.toString().endsWith("once")) bodies++;
      if (++requests === 2 && count === 1) socket.destroy();
      else socket.write(okay);
    });
  });
  await using proxy = await startProxy(tableFor(1, [{ ports: [backend.port] }]));
  await ask(proxy.port);
  assert.equal((await ask(proxy.port, { method: "POST", body: "once" })).status, 502);
  assert.equal(bodies, 1);
});

test("a dead endpoint costs no request of any method, is taken out, and comes back when it listens again", async () => {
  await using alive = await startBackend((incoming, response) => {
    incoming.resume();
    incoming.on("end", () => response.end("alive"));
  });
  const gone = await startBackend((_incoming, response) => response.end("back"));
  const { port } = gone;
  await gone[Symbol.asyncDispose]();
  await using proxy = await startProxy(tableFor(1, [{ ports: [port, alive.port] }]));
  for (let i = 0; i < 10; i++) {
    const answer = await ask(proxy.port, { method: "POST", body: "x".repeat(100_000) });
    assert.deepEqual([answer.status, answer.body], [200, "alive"]);
  }
  assert.deepEqual([...samples(proxy.metrics(), "tidegate_router_ejections_total").values()], [1]);
  assert.deepEqual([...samples(proxy.metrics(), "tidegate_router_retries_total").values()], [1]);
  await using back = await startBackend((_incoming, response) => response.end("back"), port);
  assert.ok(back.port > 0);
  for (;;) if ((await ask(proxy.port)).body === "back") break;
});

test("a service whose only endpoint is dead answers 502, one that never answers 504, one that breaks off is cut", async () => {
  const gone = await startBackend(() => {});
  await gone[Symbol.asyncDispose]();
  await using silent = await startBackend(() => {});
  await using broken = await startRawBackend((socket) =>
    socket.on("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")),
  );
  await using garbage = await startRawBackend((socket) =>
    socket.on("data", () => socket.write("220 smtp ready\r\n\r\n")),
  );
  await using proxy = await startProxy(tableFor(1, [{ ports: [gone.port] }]), { responseTimeoutMs: 200 });
  assert.equal((await ask(proxy.port)).status, 502);
  proxy.swap(tableFor(2, [{ ports: [silent.port] }]));
  assert.equal((await ask(proxy.port)).status, 504);
  proxy.swap(tableFor(3, [{ ports: [garbage.port] }]));
  assert.equal((await ask(proxy.port)).status, 502);
  proxy.swap(tableFor(4, [{ ports: [broken.port] }]));
  await assert.rejects(ask(proxy.port));
});

test("bytes behind an answer are not taken for the next one", async () => {
  let connections = 0;
  await using backend = await startRawBackend((socket, count) => {
    connections = count;
    socket.on("data", () => socket.write(`${okay}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison`));
  });
  await using proxy = await startProxy(tableFor(1, [{ ports: [backend.port] }]));
  assert.equal((await ask(proxy.port)).body, "ok");
  assert.equal((await ask(proxy.port)).body, "ok");
  assert.equal(connections, 2);
});

test("clients that send half a head, or nothing, are sent away in time", async () => {
  await using proxy = await startProxy(tableFor(1, []), { headTimeoutMs: 200, idleClientTimeoutMs: 200 });
  assert.match(await talk(proxy.port, [`GET / HTTP/1.1\r\nHo`]), /^HTTP\/1\.1 408 /);
  assert.equal(await talk(proxy.port, []), "");
});

test("2,000 requests at 90/10 over a changing table are exactly 1,800 and 200", async () => {
  await using stable = await startBackend((_incoming, response) => response.end("stable"));
  await using canary = await startBackend((_incoming, response) => response.end("canary"));
  const groups = [
    { revision: "stable", weight: 90, ports: [stable.port] },
    { revision: "canary", weight: 10, ports: [canary.port] },
  ];
  await using proxy = await startProxy(tableFor(1, groups));
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const seen = { stable: 0, canary: 0 };
  let generation = 1;
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      for (let i = 0; i < 125; i++) {
        const { body } = await ask(proxy.port, { agent });
        seen[body as "stable" | "canary"]++;
        if (i % 10 === 0) proxy.swap(tableFor(++generation, groups));
      }
    }),
  );
  agent.destroy();
  assert.deepEqual(seen, { stable: 1800, canary: 200 });
  const counted = samples(proxy.metrics(), "tidegate_router_requests_total");
  assert.equal(counted.get(`{namespace="shop",service="web",revision="canary",code="200"}`), 200);
});

test("no request is lost over 40 changes of the split and 15 endpoints that come, drain and end, under load", async () => {
  await using stable = await startBackend((_incoming, response) => response.end("stable"));
  let canary = await startBackend((_incoming, response) => response.end("canary"));
  await using proxy = await startProxy(tableFor(1, [{ revision: "stable", ports: [stable.port] }]));
  const over = new AbortController();
  const failures: unknown[] = [];
  let answered = 0;
  const agent = new Agent({ keepAlive: true, maxSockets: 12 });
  const load = Array.from({ length: 12 }, async (_unused, client) => {
    for (let i = 0; !over.signal.aborted; i++) {
      const post = (i + client) % 4 === 0 ? { method: "POST", body: "x".repeat(2000) } : {};
      try {
        const { status } = await ask(proxy.port, { agent, ...post });
        if (status === 200) answered++;
        else failures.push(status);
      } catch (error) {
        failures.push(error);
      }
    }
  });
  let generation = 1;
  const apply = async (weight: number): Promise<void> => {
    const groups = [{ revision: "stable", weight: 100 - weight, ports: [stable.port] }];
    if (weight > 0) groups.push({ revision: "canary", weight, ports: [canary.port] });
    proxy.swap(tableFor(++generation, groups));
    await new Promise((resolve) => setTimeout(resolve, 10));
  };
  for (let flip = 0; flip < 40; flip++) await apply(flip % 2 === 0 ? 50 : 10);
  for (let cycle = 0; cycle < 15; cycle++) {
    await apply(0);
    await proxy.drained(`127.0.0.1:${canary.port}`, AbortSignal.timeout(5000));
    await canary[Symbol.asyncDispose]();
    canary = await startBackend((_incoming, response) => response.end("canary"));
    await apply(40);
  }
  over.abort();
  await Promise.all(load);
  agent.destroy();
  await canary[Symbol.asyncDispose]();
  assert.deepEqual(failures, []);
  assert.ok(answered > 500, `only ${answered} requests`);
});

test("an endpoint that was removed is not held by idle connections", async () => {
  const arrived = Promise.withResolvers<() => void>();
  const closed = Promise.withResolvers<void>();
  await using backend = await startBackend((incoming, response) => {
    incoming.socket.once("close", () => closed.resolve());
    arrived.resolve(() => response.end("late"));
  });
  await using proxy = await startProxy(tableFor(1, [{ ports: [backend.port] }]), { idleUpstreamTimeoutMs: 3_600_000 });
  backend.server.keepAliveTimeout = 3_600_000;
  const answer = ask(proxy.port);
  const finish = await arrived.promise;
  proxy.swap(tableFor(2, []));
  finish();
  assert.equal((await answer).body, "late");
  await closed.promise;
});

test("draining ends idle connections of clients long before its deadline", async () => {
  await using proxy = await startProxy(tableFor(1, []));
  const idle = connect({ host: "127.0.0.1", port: proxy.port });
  await once(idle, "connect");
  const ended = once(idle, "close");
  idle.resume();
  await proxy.drain(AbortSignal.timeout(3_600_000));
  await ended;
});

test("draining finishes what is under way, closes the rest, and refuses new connections", async () => {
  const arrived = Promise.withResolvers<() => void>();
  await using backend = await startBackend((_incoming, response) => arrived.resolve(() => response.end("late")));
  await using proxy = await startProxy(tableFor(1, [{ ports: [backend.port] }]));
  const answer = ask(proxy.port, { headers: { connection: "keep-alive" } });
  const finish = await arrived.promise;
  const drained = proxy.drain(AbortSignal.timeout(10_000));
  await assert.rejects(ask(proxy.port), { code: "ECONNREFUSED" });
  finish();
  const { body, headers } = await answer;
  assert.deepEqual([body, headers.connection], ["late", "close"]);
  await drained;
});
