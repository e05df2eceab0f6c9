import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { connect, createServer } from "node:tls";
import { ClockFake } from "#lib/testing";
import { Authority } from "./authority.ts";

const names = ["localhost", "127.0.0.1", "::1", "kubernetes.default.svc", "2001:db8::7"];
const start = "2026-01-01T00:00:00Z";

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tidegate-authority-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test("a client that trusts the authority accepts the server under each of its names and no other", async (t) => {
  const { systemClock } = await import("#lib");
  const authority = await Authority.open({ folder: await folderOf(t), clock: systemClock });
  const { key, certificate } = await authority.serverCredentials(names);
  const server = createServer({ key, cert: certificate }, (socket) => socket.end());
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  const dial = (host: string, ca: string | undefined): Promise<string> =>
    new Promise((resolve) => {
      const options = { port, host: "127.0.0.1", ...(/^[\d:]/.test(host) ? {} : { servername: host }) };
      const socket = connect({ ...options, ...(ca === undefined ? {} : { ca }) }, () => {
        socket.end();
        resolve("accepted");
      });
      socket.on("error", (error: Error & { code?: string }) => resolve(error.code ?? error.message));
    });
  assert.equal(await dial("localhost", authority.certificate), "accepted");
  assert.equal(await dial("kubernetes.default.svc", authority.certificate), "accepted");
  assert.equal(await dial("127.0.0.1", authority.certificate), "accepted");
  assert.equal(await dial("elsewhere.example", authority.certificate), "ERR_TLS_CERT_ALTNAME_INVALID");
  assert.equal(await dial("localhost", undefined), "UNABLE_TO_VERIFY_LEAF_SIGNATURE");
});

test("what openssl reads in the certificates is what was meant", async (t) => {
  const clock = new ClockFake(start);
  const authority = await Authority.open({ folder: await folderOf(t), clock });
  const { certificate } = await authority.serverCredentials(names);
  const [ca, server] = [new X509Certificate(authority.certificate), new X509Certificate(certificate)];
  assert.equal(ca.ca, true);
  assert.equal(server.ca, false);
  assert.ok(ca.verify(ca.publicKey) && server.verify(ca.publicKey) && server.checkIssued(ca));
  assert.equal(
    server.subjectAltName,
    "DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, DNS:kubernetes.default.svc, IP Address:2001:DB8:0:0:0:0:0:7",
  );
  assert.deepEqual(server.keyUsage, ["1.3.6.1.5.5.7.3.1"]);
  assert.equal(server.validFromDate.toISOString(), "2025-12-31T23:00:00.000Z");
  assert.equal(server.validToDate.toISOString(), "2027-01-01T00:00:00.000Z");
  assert.equal(ca.validToDate.toISOString(), "2035-12-30T00:00:00.000Z");
});

test("a start takes up what the last one made; other names, a lost file or the end of its time make it anew", async (t) => {
  const folder = await folderOf(t);
  const clock = new ClockFake(start);
  const first = await Authority.open({ folder, clock });
  const { certificate, renewAt } = await first.serverCredentials(names);
  const again = await Authority.open({ folder, clock });
  assert.equal(again.certificate, first.certificate);
  assert.equal((await again.serverCredentials(names.toReversed())).certificate, certificate);
  const other = await again.serverCredentials([...names, "gate.example"]);
  assert.match(new X509Certificate(other.certificate).subjectAltName ?? "", /gate\.example/);
  await clock.advance(renewAt.epochMilliseconds - clock.now().epochMilliseconds - 1000);
  assert.equal((await again.serverCredentials([...names, "gate.example"])).certificate, other.certificate);
  await clock.advance(2 * 24 * 3_600_000);
  assert.notEqual((await again.serverCredentials([...names, "gate.example"])).certificate, other.certificate);
  await rm(join(folder, "kubernetes-ca.crt"));
  const renewed = await Authority.open({ folder, clock });
  assert.ok(new X509Certificate(certificate).verify(new X509Certificate(renewed.certificate).publicKey));
});

test("its files are the owner's alone, and one that is damaged is named with what to do", async (t) => {
  const folder = await folderOf(t);
  const clock = new ClockFake(start);
  await (await Authority.open({ folder, clock })).serverCredentials(names);
  for (const name of await readdir(folder)) assert.equal((await stat(join(folder, name))).mode & 0o777, 0o600, name);
  await writeFile(join(folder, "kubernetes-ca.key"), "no key");
  await assert.rejects(
    Authority.open({ folder, clock }),
    /Cannot read the key in ".*kubernetes-ca\.key": .*; put back/,
  );
});
