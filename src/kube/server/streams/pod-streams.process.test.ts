import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import type { Readable } from "node:stream";
import { test, type TestContext } from "node:test";
import { WebSocket } from "ws";
import { reader, startFace, token } from "../http/testing.ts";
import { askUpgrade, type FakeCommand, PodStreamsFake, SpdyClient, textOf, Tunnel } from "./testing.ts";
import type { PodStreamPort } from "../../ports.ts";

const signal = AbortSignal.timeout(60_000);
const authorization = `Bearer ${token}`;
const pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web" },
  spec: { nodeName: "local", containers: [{ name: "web", image: "web:1" }] },
};

/** The URL below which the pod's subresources are. */
async function start(t: TestContext, streams: PodStreamPort): Promise<string> {
  const app = await startFace(t, streams);
  const url = await app.listen({ port: 0, host: "127.0.0.1" });
  const pods = "/kube/api/v1/namespaces/default/pods";
  const headers = { authorization, "content-type": "application/json" };
  assert.equal((await app.inject({ method: "POST", url: pods, headers, payload: pod })).statusCode, 201);
  const patch = { ...headers, "content-type": "application/merge-patch+json" };
  const status = { status: { phase: "Running" } };
  const patched = await app.inject({ method: "PATCH", url: `${pods}/web/status`, headers: patch, payload: status });
  assert.equal(patched.statusCode, 200);
  return `${url}${pods}/web`;
}

/** Says what it was asked, gives its input back in capitals, and ends with 3. */
function shout({ request, stdin, stdout, stderr, exit }: FakeCommand): void {
  stderr.write(`${request.command?.join(" ")}|${request.container}|${request.tty}`);
  stdin.on("data", (chunk: Buffer) => stdout.write(chunk.toString("utf8").toUpperCase()));
  stdin.on("end", () => exit(3));
}

const exitStatus = {
  metadata: {},
  status: "Failure",
  message: "command terminated with non-zero exit code: exit status 3",
  reason: "NonZeroExitCode",
  details: { causes: [{ reason: "ExitCode", message: "3" }] },
};

interface Channels {
  readonly socket: WebSocket;
  /** Text so far, by channel. */
  readonly text: (channel: number) => string;
  readonly closed: Promise<number>;
}

async function openChannels(url: string, protocol: string | undefined): Promise<Channels> {
  const socket = new WebSocket(url.replace("http:", "ws:"), protocol === undefined ? [] : [protocol], {
    headers: { authorization },
  });
  const messages: Buffer[] = [];
  const isText = protocol?.includes("base64") === true;
  socket.on("message", (data: Buffer) => {
    if (!isText) return messages.push(data);
    const [channel = 0] = data;
    return messages.push(Buffer.concat([Buffer.of(channel - 48), Buffer.from(data.subarray(1).toString(), "base64")]));
  });
  const closed = once(socket, "close").then(([code]) => Number(code));
  await once(socket, "open");
  const text = (channel: number): string =>
    Buffer.concat(messages.filter((data) => data[0] === channel).map((data) => data.subarray(1))).toString("utf8");
  return { socket, text, closed };
}

const exec = "exec?command=say&command=it&stdin=true&stdout=true&stderr=true";

test("a command over WebSocket version 5: streams, an input that ends, the exit code", async (t) => {
  const url = await start(t, new PodStreamsFake(shout));
  const { socket, text, closed } = await openChannels(`${url}/${exec}`, "v5.channel.k8s.io");
  assert.equal(socket.protocol, "v5.channel.k8s.io");
  socket.send(Buffer.from("\0typed"));
  socket.send(Buffer.from([255, 0]));
  assert.equal(await closed, 1000);
  assert.equal(text(1), "TYPED");
  assert.equal(text(2), "say it|web|false");
  assert.deepEqual(JSON.parse(text(3)), exitStatus);
});

test("version 4 in base64, and the oldest one, which tells the end in words", async (t) => {
  const once4: (command: FakeCommand) => void = ({ stdin, stdout, exit }) => {
    stdin.once("data", (chunk: Buffer) => {
      stdout.write(chunk);
      exit(3);
    });
  };
  const url = await start(t, new PodStreamsFake(once4));
  const base64 = await openChannels(`${url}/${exec}`, "v4.base64.channel.k8s.io");
  base64.socket.send(`0${btoa("typed")}`);
  await base64.closed;
  assert.equal(base64.text(1), "typed");
  assert.deepEqual(JSON.parse(base64.text(3)), exitStatus);
  const bare = await openChannels(`${url}/${exec}`, undefined);
  bare.socket.send(Buffer.from("\0typed"));
  await bare.closed;
  assert.equal(bare.text(1), "typed");
  assert.equal(bare.text(3), "command terminated with non-zero exit code: exit status 3");
});

test("a terminal has one output, and sizes that change", async (t) => {
  const url = await start(
    t,
    new PodStreamsFake(({ request, sizes, stdin, stdout, exit }) => {
      assert.equal(request.tty, true);
      stdin.on("data", () => {
        stdout.write(JSON.stringify(sizes));
        exit(0);
      });
    }),
  );
  const { socket, text, closed } = await openChannels(
    `${url}/exec?command=sh&stdin=1&stdout=1&stderr=1&tty=1`,
    "v5.channel.k8s.io",
  );
  socket.send(Buffer.from('\x04{"Width":80,"Height":24}'));
  socket.send(Buffer.from('\x04{"Width":133,"Height":41}'));
  socket.send(Buffer.from("\0x"));
  await closed;
  assert.deepEqual((JSON.parse(text(1)) as unknown[]).at(-1), { columns: 133, rows: 41 });
  assert.deepEqual(JSON.parse(text(3)), { metadata: {}, status: "Success" });
});

for (const [protocol, told] of [
  ["v4.channel.k8s.io", JSON.stringify(exitStatus)],
  ["channel.k8s.io", "command terminated with non-zero exit code: exit status 3"],
] as const) {
  test(`a command over SPDY as ${protocol} has it`, async (t) => {
    const url = await start(t, new PodStreamsFake(shout));
    const upgraded = await askUpgrade(`${url}/${exec}`, {
      authorization,
      upgrade: "SPDY/3.1",
      "x-stream-protocol-version": ["v9.channel.k8s.io", protocol],
    });
    assert.ok(upgraded.kind === "upgraded");
    assert.equal(upgraded.response.headers["x-stream-protocol-version"], protocol);
    const client = new SpdyClient(upgraded.socket);
    const [error, stdin, stdout, stderr] = ["error", "stdin", "stdout", "stderr"].map((name) =>
      client.open({ streamType: name }),
    ) as [number, number, number, number];
    client.write(stdin, "typed");
    client.write(stdin, "", true);
    assert.equal(await client.whole(stdout, signal), "TYPED");
    assert.equal(await client.whole(stderr, signal), "say it|web|false");
    assert.equal(await client.whole(error, signal), told);
    assert.equal((await client.until((frame) => frame.kind === "goaway", signal)).kind, "goaway");
  });
}

test("a client that goes takes its command along", async (t) => {
  const commands: FakeCommand[] = [];
  const url = await start(t, new PodStreamsFake((command) => void commands.push(command)));
  const { socket } = await openChannels(`${url}/${exec}`, "v5.channel.k8s.io");
  // Its input is not read: the connection is held, and the end must be noticed all the same.
  for (let sent = 0; sent < 40; sent++) socket.send(Buffer.alloc(64 * 1024));
  socket.terminate();
  const upgraded = await askUpgrade(`${url}/${exec}`, { authorization, upgrade: "SPDY/3.1" });
  assert.ok(upgraded.kind === "upgraded");
  const client = new SpdyClient(upgraded.socket);
  for (const streamType of ["error", "stdin", "stdout", "stderr"]) client.open({ streamType });
  await client.until((frame) => frame.kind === "syn-reply" && frame.streamId === 7, signal);
  while (commands.length < 2) await new Promise((resolve) => setImmediate(resolve));
  await client.close();
  await Promise.all(commands.map(({ disposed }) => disposed));
});

test("an output that the client does not take stops the command, and goes on when it does", async (t) => {
  let written = 0;
  const block = Buffer.alloc(64 * 1024, "x");
  const url = await start(
    t,
    new PodStreamsFake(({ stdout, exit }) => {
      const more = (): void => {
        while (written < 800) {
          written++;
          if (!stdout.write(block)) return void stdout.once("drain", more);
        }
        exit(0);
      };
      more();
    }),
  );
  const { socket, text, closed } = await openChannels(`${url}/exec?command=yes&stdout=true`, "v5.channel.k8s.io");
  socket.pause();
  let before = -1;
  while (written !== before) {
    before = written;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.ok(written < 400, `${written} of 800 blocks were written though nobody reads`);
  socket.resume();
  await closed;
  assert.equal(text(1).length, 800 * block.length);
});

test("what cannot be is refused while it is still HTTP", async (t) => {
  const url = await start(t, new PodStreamsFake(shout));
  const spdy = { authorization, upgrade: "SPDY/3.1" };
  const refused: readonly [path: string, headers: Record<string, string>, code: number, message: RegExp][] = [
    [exec, { ...spdy, authorization: `Bearer ${reader}` }, 403, /cannot create resource/],
    [exec, { upgrade: "SPDY/3.1" }, 401, /Unauthorized/],
    ["exec?stdout=true", spdy, 400, /at least one command/],
    ["exec?command=x", spdy, 400, /at least 1 of stdin, stdout, stderr/],
    [`${exec}&container=none`, spdy, 400, /container none is not valid for pod web/],
    [exec, { ...spdy, "x-stream-protocol-version": "v9" }, 403, /client supports \[v9\], server accepts \[v4/],
    [`../none/${exec}`, spdy, 404, /pods \\"none\\" not found/],
    [exec, { authorization }, 400, /Upgrade request required/],
    // curl --http2 offers this with every request.
    ["", { authorization, upgrade: "h2c" }, 405, /does not allow this method/],
  ];
  for (const [path, headers, code, message] of refused) {
    const answer = await askUpgrade(new URL(`${url}/${path}`).href.replace(/\/$/, ""), headers);
    assert.ok(answer.kind === "refused", `${path} was upgraded`);
    assert.equal(answer.code, code, answer.body);
    assert.match(answer.body, message);
    assert.equal((JSON.parse(answer.body) as { kind: string }).kind, "Status");
  }
  const socket = new WebSocket(`${url}/${exec}`.replace("http:", "ws:"), ["v9.channel.k8s.io"], {
    headers: { authorization },
  });
  const [, response] = (await once(socket, "unexpected-response")) as [unknown, Readable];
  assert.match(await textOf(response), /no WebSocket protocol in common/);
  // A reader must not get in by GET, which WebSockets begin with.
  const got = await askUpgrade(`${url}/${exec}`, { ...spdy, authorization: `Bearer ${reader}` }, "GET");
  assert.equal(got.kind === "refused" && got.code, 403);
});

async function echoServer(t: TestContext): Promise<PodStreamPort["connect"]> {
  // Answers after the client has said everything: halves are closed one by one.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let text = "";
    socket.on("data", (chunk) => (text += String(chunk)));
    socket.on("end", () => socket.end(text.toUpperCase()));
    socket.on("error", () => {});
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  return async (_pod, wanted) => {
    if (wanted !== 8080) throw new Error("connection refused");
    const socket = connect({ port, allowHalfOpen: true });
    await once(socket, "connect");
    return socket;
  };
}

test("connections to ports go side by side, each half closes by itself, and errors are told", async (t) => {
  const url = await start(t, new PodStreamsFake(shout, await echoServer(t)));
  const upgraded = await askUpgrade(`${url}/portforward`, {
    authorization,
    upgrade: "SPDY/3.1",
    "x-stream-protocol-version": "portforward.k8s.io",
  });
  assert.ok(upgraded.kind === "upgraded");
  const client = new SpdyClient(upgraded.socket);
  const open = (requestID: string, port: string): { data: number; error: number } => ({
    error: client.open({ streamType: "error", port, requestID }, true),
    data: client.open({ streamType: "data", port, requestID }),
  });
  const pairs = Array.from({ length: 20 }, (_, index) => open(String(index), "8080"));
  for (const [index, { data }] of pairs.entries()) client.write(data, `hello ${index}, ${"x".repeat(100_000)}`);
  for (const { data } of pairs.toReversed()) client.write(data, " bye", true);
  for (const [index, { data, error }] of pairs.entries()) {
    const text = await client.whole(data, signal);
    assert.ok(text.startsWith(`HELLO ${index}, X`) && text.endsWith("X BYE"));
    assert.equal(await client.whole(error, signal), "");
  }
  const { error } = open("refused", "9090");
  assert.match(
    await client.whole(error, signal),
    /^error forwarding port 9090 to pod web, uid [0-9a-f-]+: connection refused$/,
  );
  const bad = client.open({ streamType: "data", port: "0" });
  await client.until((frame) => frame.kind === "rst-stream" && frame.streamId === bad, signal);
  client.send({ kind: "ping", id: 7 });
  await client.until((frame) => frame.kind === "ping" && frame.id === 7, signal);
  await client.close();
});

test("SPDY inside a WebSocket forwards ports too, and garbage in it ends the connection and nothing else", async (t) => {
  const url = await start(t, new PodStreamsFake(shout, await echoServer(t)));
  const open = async (): Promise<Socket> => {
    const headers = {
      authorization,
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
      "sec-websocket-protocol": "SPDY/3.1+portforward.k8s.io",
    };
    const upgraded = await askUpgrade(`${url}/portforward`, headers, "GET");
    assert.ok(upgraded.kind === "upgraded", JSON.stringify(upgraded));
    assert.equal(upgraded.response.headers["sec-websocket-protocol"], "SPDY/3.1+portforward.k8s.io");
    return upgraded.socket;
  };
  const garbage = await open();
  garbage.resume();
  // A control frame of a version that is none.
  new Tunnel(garbage).write(Buffer.from([0xff, 0xff, 0, 1, 0, 0, 0, 0]));
  await once(garbage, "close");
  const client = new SpdyClient(new Tunnel(await open()));
  client.open({ streamType: "error", port: "8080", requestID: "0" }, true);
  const data = client.open({ streamType: "data", port: "8080", requestID: "0" });
  client.write(data, "hello", true);
  assert.equal(await client.whole(data, signal), "HELLO");
  await client.close();
});
