import type { Socket } from "node:net";

/** After an upgrade: bytes both ways with back-pressure and half-close. `onOver` is called once, when both are closed. */
export function joinSockets(
  client: Socket,
  upstream: Socket,
  first: { early: Buffer | undefined; rest: Buffer | undefined },
  onOver: () => void,
): void {
  let open = 2;
  for (const [socket, other] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    // A peer that vanished without a word would hold the tunnel, and a draining endpoint, for ever.
    socket.setKeepAlive(true, 30_000);
    socket.on("error", () => other.destroy());
    socket.once("close", () => {
      other.destroySoon();
      if (--open === 0) onOver();
    });
  }
  if (first.rest !== undefined) client.write(first.rest);
  if (first.early !== undefined) upstream.write(first.early);
  client.pipe(upstream);
  upstream.pipe(client);
}
