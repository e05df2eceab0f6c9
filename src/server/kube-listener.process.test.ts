import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { connect, type PeerCertificate } from "node:tls";
import { Authority } from "#auth";
import { silentLog, systemIds, TaskGroup } from "#lib";
import { ClockFake } from "#lib/testing";
import type { Config } from "./config.ts";
import { homeOf } from "./home.ts";
import { openKubeListener } from "./kube-listener.ts";

test("the certificate is renewed while the server runs: open connections stay, new ones get the new one", async () => {
  await using owned = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "tidegate-listener-"));
  owned.defer(() => rm(folder, { recursive: true }));
  // What the machine's clock says: TLS looks at that one, whatever ours says.
  const clock = new ClockFake(new Date().toISOString());
  const tasks = owned.use(new TaskGroup((error) => assert.fail(String(error))));
  const config = { kube: { host: "127.0.0.1", port: 0, names: [] } } as unknown as Config;
  const [log, ids, home] = [silentLog, systemIds, homeOf(folder)];
  const context = { config, home, log, clock, ids, tasks, signal: tasks.signal, startedAt: "" };
  const authority = await Authority.open({ folder: join(folder, "keys"), clock });
  const listener = await openKubeListener(context, { authority }, owned);
  listener.app.get("/", () => "here");
  const port = await listener.listen();
  const dial = (): Promise<{ certificate: PeerCertificate; ask(): Promise<string> } & Disposable> =>
    new Promise((resolve, reject) => {
      const socket = connect({ port, host: "127.0.0.1", ca: authority.certificate }, () => {
        const ask = (): Promise<string> =>
          new Promise((answer) => {
            socket.once("data", (bytes: Buffer) => answer(bytes.toString()));
            socket.write("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
          });
        const certificate = socket.getPeerCertificate();
        resolve({ certificate, ask, [Symbol.dispose]: () => void socket.destroy() });
      });
      socket.on("error", reject);
    });
  using before = await dial();
  const answer = await before.ask();
  assert.match(answer, /^HTTP\/1.1 200 OK\r\n/);
  // Longer than Go clients keep a connection that nobody uses.
  assert.ok(Number(/keep-alive: timeout=(\d+)/i.exec(answer)?.[1]) > 90, answer);
  await clock.advance(200 * 24 * 3_600_000);
  using same = await dial();
  assert.equal(same.certificate.serialNumber, before.certificate.serialNumber);
  // The new one is not valid yet by the machine's clock, so it is looked at without asking whether it is good.
  await clock.advance(60 * 24 * 3_600_000);
  const renewed = await untilOther(port, before.certificate.serialNumber, clock);
  assert.notEqual(renewed, before.certificate.serialNumber);
  assert.match(await before.ask(), /^HTTP\/1.1 200 OK\r\n/);
});

/** The renewal reads and writes files before it counts; the loop's next look is a second of its clock away at most. */
async function untilOther(port: number, former: string, clock: ClockFake): Promise<string> {
  for (let attempt = 1; attempt <= 100; attempt++) {
    const serial = await new Promise<string>((resolve, reject) => {
      const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false }, () => {
        resolve(socket.getPeerCertificate().serialNumber);
        socket.destroy();
      });
      socket.on("error", reject);
    });
    if (serial !== former) return serial;
    await new Promise((resolve) => setTimeout(resolve, 20));
    await clock.advance(1000);
  }
  return former;
}
