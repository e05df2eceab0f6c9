import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import { systemClock } from "#lib";
import { ChannelCommandStreams } from "./channel-command.ts";

test("what a command wrote last arrives, and only then how it ended", async () => {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  try {
    await once(server, "listening");
    const taken = once(server, "connection") as Promise<[WebSocket, IncomingMessage]>;
    const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const messages: string[] = [];
    client.on("message", (data: Buffer) => messages.push(`${data[0]} ${data.subarray(1).toString("utf8")}`));
    const closed = once(client, "close");
    const [socket, request] = await taken;
    using streams = new ChannelCommandStreams({
      socket,
      protocol: "v5.channel.k8s.io",
      transport: request.socket,
      wanted: { stdin: false, stdout: true, stderr: true, tty: false },
      clock: systemClock,
    });
    for (const text of ["one", "two", "three"]) streams.stdout?.write(text);
    streams.stderr?.write("warned");
    await streams.finish({ kind: "ended", exitCode: 0 });
    await closed;
    assert.deepEqual(
      messages.filter((message) => message.startsWith("1 ")),
      ["1 ", "1 one", "1 two", "1 three"],
    );
    assert.ok(messages.includes("2 warned"));
    assert.match(messages.at(-1) ?? "", /^3 .*"Success"/);
  } finally {
    server.close();
  }
});
