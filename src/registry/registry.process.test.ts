/** The endpoints of the OCI distribution specification, asked as any client asks them, over a real socket. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { ClockFake } from "#lib/testing";
import { mortalRegistry } from "./testing-mortal-registry.ts";
import {
  descriptor,
  digestOf,
  imageFixture,
  ociIndex,
  ociManifest,
  startRegistry,
  temporaryFolder,
  type ImageFixture,
  type RegistryServer,
} from "./testing.ts";

async function pushImage(server: RegistryServer, name: string, tag: string, image: ImageFixture): Promise<Response> {
  for (const blob of [image.config, image.layer]) {
    const response = await server.ask("POST", `/v2/${name}/blobs/uploads/?digest=${digestOf(blob)}`, { body: blob });
    assert.equal(response.status, 201);
  }
  return await putManifest(server, name, tag, image.manifest);
}

function putManifest(server: RegistryServer, name: string, reference: string, body: string): Promise<Response> {
  const type = (JSON.parse(body) as { mediaType?: string }).mediaType ?? ociManifest;
  return server.ask("PUT", `/v2/${name}/manifests/${reference}`, { headers: { "content-type": type }, body });
}

async function begin(server: RegistryServer, name: string): Promise<string> {
  const response = await server.ask("POST", `/v2/${name}/blobs/uploads/`);
  assert.equal(response.status, 202);
  return response.headers.get("location") ?? "";
}

async function codeOf(response: Response): Promise<[number, string | undefined]> {
  const body = (await response.json()) as { errors?: { code: string }[] };
  return [response.status, body.errors?.[0]?.code];
}

describe("a registry", () => {
  const stack = new AsyncDisposableStack();
  let server: RegistryServer;
  before(async () => {
    server = stack.use(await startRegistry());
  });
  after(() => stack.disposeAsync());

  test("a blob goes in at once, is read whole, in part and by HEAD", async () => {
    const digest = digestOf("0123456789");
    const put = await server.ask("POST", `/v2/acme/a/blobs/uploads/?digest=${digest}`, { body: "0123456789" });
    assert.equal(put.status, 201);
    assert.equal(put.headers.get("location"), `/v2/acme/a/blobs/${digest}`);

    const path = `/v2/acme/a/blobs/${digest}`;
    const whole = await server.ask("GET", path);
    assert.deepEqual([whole.status, await whole.text()], [200, "0123456789"]);
    assert.equal(whole.headers.get("docker-content-digest"), digest);
    const head = await server.ask("HEAD", path);
    assert.deepEqual([head.status, head.headers.get("content-length")], [200, "10"]);
    const part = await server.ask("GET", path, { headers: { range: "bytes=2-4" } });
    assert.deepEqual([part.status, part.headers.get("content-range"), await part.text()], [206, "bytes 2-4/10", "234"]);
    assert.equal((await server.ask("GET", path, { headers: { range: "bytes=10-" } })).status, 416);
  });

  test("a blob goes in with POST then PUT, by sha512, and empty", async () => {
    for (const [content, algorithm] of [
      ["one piece", "sha256"],
      ["long digest", "sha512"],
      ["", "sha256"],
    ] as const) {
      const digest = digestOf(content, algorithm);
      const location = await begin(server, "acme/a");
      const put = await server.ask("PUT", `${location}?digest=${encodeURIComponent(digest)}`, { body: content });
      assert.equal(put.status, 201);
      assert.equal(await (await server.ask("GET", `/v2/acme/a/blobs/${digest}`)).text(), content);
    }
  });

  test("chunks go in in order, their progress can be asked for, and out of order is refused", async () => {
    const location = await begin(server, "acme/a");
    const chunk = (range: string, body: string): Promise<Response> =>
      server.ask("PATCH", location, { headers: { "content-range": range }, body });

    const first = await chunk("0-3", "abcd");
    assert.deepEqual([first.status, first.headers.get("range")], [202, "0-3"]);
    const gap = await chunk("6-7", "gh");
    assert.deepEqual([gap.status, gap.headers.get("range")], [416, "0-3"]);
    assert.equal((await chunk("bytes 4-5/8", "ef")).status, 416);
    const status = await server.ask("GET", location);
    assert.deepEqual([status.status, status.headers.get("range")], [204, "0-3"]);
    assert.equal((await chunk("4-5", "ef")).headers.get("range"), "0-5");
    const digest = digestOf("abcdefgh");
    const last = await server.ask("PUT", `${location}?digest=${digest}`, {
      headers: { "content-range": "6-7" },
      body: "gh",
    });
    assert.equal(last.status, 201);
    assert.equal(await (await server.ask("GET", `/v2/acme/a/blobs/${digest}`)).text(), "abcdefgh");
    assert.deepEqual(await codeOf(await server.ask("GET", location)), [404, "BLOB_UPLOAD_UNKNOWN"]);
  });

  test("a stream of unknown length goes in with one PATCH", async () => {
    const location = await begin(server, "acme/a");
    const body = new Blob(["x".repeat(300_000)]).stream();
    assert.equal((await server.ask("PATCH", location, { body })).headers.get("range"), "0-299999");
    const digest = digestOf("x".repeat(300_000));
    assert.equal((await server.ask("PUT", `${location}?digest=${digest}`)).status, 201);
  });

  test("an upload can be cancelled, and one with another content than its digest is refused", async () => {
    const cancelled = await begin(server, "acme/a");
    assert.equal((await server.ask("DELETE", cancelled)).status, 204);
    assert.equal((await server.ask("PATCH", cancelled, { body: "x" })).status, 404);
    const wrong = await begin(server, "acme/a");
    const refused = await server.ask("PUT", `${wrong}?digest=${digestOf("wanted")}`, { body: "found" });
    assert.deepEqual(await codeOf(refused), [400, "DIGEST_INVALID"]);
    assert.equal((await server.ask("HEAD", `/v2/acme/a/blobs/${digestOf("wanted")}`)).status, 404);
    const other = await begin(server, "acme/a");
    assert.equal((await server.ask("GET", other.replace("acme/a", "acme/b"))).status, 404);
  });

  test("a blob is mounted from a repository that may be read, named or not, and from no other", async () => {
    const digest = digestOf("shared");
    await server.ask("POST", `/v2/acme/base/blobs/uploads/?digest=${digest}`, { body: "shared" });
    const mount = (to: string, from: string | undefined, as: string): Promise<Response> => {
      const query = from === undefined ? "" : `&from=${from}`;
      return server.ask("POST", `/v2/${to}/blobs/uploads/?mount=${digest}${query}`, { as });
    };

    assert.equal((await mount("acme/m1", "acme/base", "ada=admin")).status, 201);
    assert.equal((await server.ask("HEAD", `/v2/acme/m1/blobs/${digest}`)).status, 200);
    assert.equal((await mount("acme/m2", undefined, "ada=admin")).status, 201);
    assert.equal((await mount("acme/m3", "acme/none", "ada=admin")).status, 202);
    assert.equal((await mount("acme/m4", "acme/base", "eve=registry:write:acme/m4")).status, 202);
    assert.equal((await mount("acme/m4", undefined, "eve=registry:write:acme/m4")).status, 202);
  });

  test("a manifest is kept byte for byte with its type, by tag and by digest, and each push is recorded", async () => {
    const image = imageFixture("kept");
    const put = await pushImage(server, "acme/kept", "v1", image);
    assert.deepEqual([put.status, put.headers.get("docker-content-digest")], [201, image.digest]);
    for (const reference of ["v1", image.digest]) {
      const got = await server.ask("GET", `/v2/acme/kept/manifests/${reference}`, {
        headers: { accept: "text/plain" },
      });
      assert.deepEqual([got.headers.get("content-type"), await got.text()], [ociManifest, image.manifest]);
    }
    const head = await server.ask("HEAD", "/v2/acme/kept/manifests/v1");
    assert.equal(head.headers.get("content-length"), String(image.manifest.length));
    const two = await putManifest(server, "acme/kept", `${image.digest}?tag=v2&tag=v3`, image.manifest);
    assert.deepEqual([two.status, two.headers.get("oci-tag")], [201, "v2, v3"]);
    await putManifest(server, "acme/kept", image.digest, image.manifest);
    const repeated = await putManifest(server, "acme/kept", "v1", image.manifest);
    assert.equal(repeated.status, 201, "a client that lost the answer asks again: that is no second push");

    const pushes = (await server.registry.pushes.after(0)).filter((push) => push.repository === "acme/kept");
    assert.deepEqual(
      pushes.map((push) => push.tag),
      ["v1", "v2", "v3", undefined],
    );
    assert.deepEqual([pushes[0]?.pusher, pushes[0]?.digest], ["ada", image.digest]);
    const found = await server.registry.image("acme/kept", "v1");
    assert.deepEqual(
      [found?.labels, found?.created],
      [{ "org.opencontainers.image.revision": "kept" }, "2026-01-02T03:04:05Z"],
    );
  });

  test("a manifest is refused without its blobs, over the limit, under a wrong digest or name", async () => {
    const image = imageFixture("refused");
    assert.deepEqual(await codeOf(await putManifest(server, "acme/r", "v1", image.manifest)), [
      404,
      "MANIFEST_BLOB_UNKNOWN",
    ]);
    const wrong = await putManifest(server, "acme/r", digestOf("else"), '{"mediaType":"a/b"}');
    assert.deepEqual(await codeOf(wrong), [400, "DIGEST_INVALID"]);
    const large = JSON.stringify({ mediaType: "a/b", padding: "x".repeat(4 * 1024 * 1024) });
    assert.deepEqual(await codeOf(await putManifest(server, "acme/r", "v1", large)), [413, "SIZE_INVALID"]);
    assert.deepEqual(await codeOf(await putManifest(server, "acme/r", "-v1", "{}")), [400, "MANIFEST_INVALID"]);
    assert.deepEqual(await codeOf(await server.ask("GET", "/v2/Acme/r/manifests/v1")), [400, "NAME_INVALID"]);
    assert.deepEqual(await codeOf(await server.ask("GET", "/v2/acme/r/manifests/v1")), [404, "MANIFEST_UNKNOWN"]);
    assert.deepEqual(await codeOf(await server.ask("GET", "/v2/acme/r/blobs/sha256:12")), [400, "DIGEST_INVALID"]);
    const exact = JSON.stringify({ mediaType: "a/b", padding: "" });
    const full = exact.replace('""', `"${"x".repeat(4 * 1024 * 1024 - exact.length)}"`);
    assert.equal((await putManifest(server, "acme/r", "full", full)).status, 201);
  });

  test("an index holds its children, and they cannot go before it", async () => {
    const image = imageFixture("child");
    await pushImage(server, "acme/idx", image.digest, image);
    const child = { ...descriptor(ociManifest, image.manifest), platform: { os: "linux", architecture: "amd64" } };
    const index = JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests: [child] });
    const orphan = index.replace(image.digest, digestOf("nowhere"));
    assert.deepEqual(await codeOf(await putManifest(server, "acme/idx", "v1", orphan)), [404, "MANIFEST_BLOB_UNKNOWN"]);
    assert.equal((await putManifest(server, "acme/idx", "v1", index)).status, 201);
    assert.equal((await server.registry.image("acme/idx", "v1"))?.digest, image.digest);

    const path = (reference: string): string => `/v2/acme/idx/manifests/${reference}`;
    assert.deepEqual(await codeOf(await server.ask("DELETE", path(image.digest))), [405, "UNSUPPORTED"]);
    const blob = `/v2/acme/idx/blobs/${digestOf(image.layer)}`;
    assert.deepEqual(await codeOf(await server.ask("DELETE", blob)), [405, "UNSUPPORTED"]);
    assert.equal((await server.ask("DELETE", path("v1"))).status, 202);
    assert.equal((await server.ask("GET", path("v1"))).status, 404);
    assert.equal((await server.ask("DELETE", path(digestOf(index)))).status, 202);
    assert.equal((await server.ask("DELETE", path(image.digest))).status, 202);
    assert.equal((await server.ask("DELETE", path(image.digest))).status, 404);
    assert.equal((await server.ask("DELETE", blob)).status, 202);
    assert.equal((await server.ask("GET", blob)).status, 404);
  });

  test("referrers are listed by subject and type, and none is an answer", async () => {
    const image = imageFixture("subject");
    const subject = descriptor(ociManifest, image.manifest);
    const none = await server.ask("GET", `/v2/acme/ref/referrers/${image.digest}`);
    assert.deepEqual([none.status, none.headers.get("content-type")], [200, ociIndex]);
    assert.deepEqual(((await none.json()) as { manifests: unknown[] }).manifests, []);
    const sbom = imageFixture("sbom", { subject, artifactType: "application/spdx", annotations: { by: "scanner" } });
    const put = await pushImage(server, "acme/ref", sbom.digest, sbom);
    assert.equal(put.headers.get("oci-subject"), image.digest);
    const plain = imageFixture("plain", { subject });
    await pushImage(server, "acme/ref", plain.digest, plain);

    const all = await server.ask("GET", `/v2/acme/ref/referrers/${image.digest}`);
    const { manifests } = (await all.json()) as { manifests: Record<string, unknown>[] };
    assert.deepEqual(new Set(manifests.map((m) => m["digest"])), new Set([sbom.digest, plain.digest]));
    const imageConfig = "application/vnd.oci.image.config.v1+json";
    assert.equal(manifests.find((m) => m["digest"] === plain.digest)?.["artifactType"], imageConfig);
    const some = await server.ask("GET", `/v2/acme/ref/referrers/${image.digest}?artifactType=application%2Fspdx`);
    assert.equal(some.headers.get("oci-filters-applied"), "artifactType");
    assert.deepEqual(((await some.json()) as { manifests: unknown[] }).manifests, [
      {
        mediaType: ociManifest,
        digest: sbom.digest,
        size: sbom.manifest.length,
        artifactType: "application/spdx",
        annotations: { by: "scanner" },
      },
    ]);
  });

  test("tags come in order and in pages", async () => {
    const image = imageFixture("tags");
    await pushImage(server, "acme/tags", "b", image);
    for (const tag of ["a", "c", "B"]) await putManifest(server, "acme/tags", tag, image.manifest);
    const list = async (query: string): Promise<[unknown, string | null]> => {
      const response = await server.ask("GET", `/v2/acme/tags/tags/list${query}`);
      return [((await response.json()) as { tags: unknown }).tags, response.headers.get("link")];
    };

    assert.deepEqual(await list(""), [["B", "a", "b", "c"], null]);
    assert.deepEqual(await list("?n=2"), [["B", "a"], '</v2/acme/tags/tags/list?n=2&last=a>; rel="next"']);
    assert.deepEqual(await list("?n=2&last=a"), [["b", "c"], null]);
    assert.deepEqual(await list("?n=0"), [[], null]);
    assert.deepEqual(await codeOf(await server.ask("GET", "/v2/acme/none/tags/list")), [404, "NAME_UNKNOWN"]);
  });

  test("a client without login is sent to the token endpoint, and its token does what was asked for and no more", async () => {
    const challenge = await server.ask("GET", "/v2/", { as: null });
    assert.equal(challenge.status, 401);
    assert.equal(
      challenge.headers.get("www-authenticate"),
      `Bearer realm="http://127.0.0.1:${server.port}/token",service="tidegate-registry"`,
    );
    const tokenFor = async (scope: string, as: string): Promise<string> => {
      const response = await server.ask("GET", `/token?service=x&account=user&scope=${scope}`, { as });
      const body = (await response.json()) as { token: string; access_token: string; expires_in: number };
      assert.equal(body.token, body.access_token);
      assert.ok(body.expires_in >= 60);
      return body.token;
    };
    const puller = await tokenFor("repository:acme/kept:pull", "ada=admin");
    const kept = "/v2/acme/kept/tags/list";
    assert.equal((await server.ask("GET", "/v2/", { bearer: puller })).status, 200);
    assert.equal((await server.ask("GET", kept, { bearer: puller })).status, 200);
    const push = await server.ask("POST", "/v2/acme/kept/blobs/uploads/", { bearer: puller });
    assert.equal(push.status, 401);
    assert.match(
      push.headers.get("www-authenticate") ?? "",
      /scope="repository:acme\/kept:pull,push",error="insufficient_scope"/,
    );
    assert.equal((await server.ask("GET", "/v2/acme/tags/tags/list", { bearer: puller })).status, 401);

    const reader = await tokenFor("repository:acme/kept:pull,push", "bob=registry:read:acme/kept");
    assert.equal((await server.ask("GET", kept, { bearer: reader })).status, 200);
    assert.equal((await server.ask("POST", "/v2/acme/kept/blobs/uploads/", { bearer: reader })).status, 401);
    assert.equal((await server.ask("GET", kept, { bearer: `${reader}x` })).status, 401);
    assert.equal((await server.ask("GET", "/token", { as: "nobody" })).status, 401);
  });

  test("a token can be asked for as OAuth 2 does", async () => {
    const form = "grant_type=password&username=u&password=ada%3Dadmin&service=x&scope=repository:acme/kept:pull";
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const response = await server.ask("POST", "/token", { as: null, headers, body: form });
    const { access_token } = (await response.json()) as { access_token: string };
    assert.equal((await server.ask("GET", "/v2/acme/kept/tags/list", { bearer: access_token })).status, 200);
    const refresh = await server.ask("POST", "/token", { as: null, headers, body: "grant_type=refresh_token" });
    assert.equal(refresh.status, 400);
  });

  test("what a login may not reach looks the same whether it exists or not", async () => {
    const as = "eve=registry:read:acme/own";
    const there = await server.ask("GET", "/v2/acme/kept/manifests/v1", { as });
    const notThere = await server.ask("GET", "/v2/acme/none/manifests/v1", { as });
    assert.deepEqual(await codeOf(there), [403, "DENIED"]);
    assert.deepEqual(await codeOf(notThere), [403, "DENIED"]);
    const digest = digestOf(imageFixture("kept").layer);
    assert.equal((await server.ask("HEAD", `/v2/acme/own/blobs/${digest}`, { as })).status, 404);
  });
});

test("a token does not outlive its five minutes", async () => {
  const clock = new ClockFake();
  await using server = await startRegistry({ clock });
  const response = await server.ask("GET", "/token?scope=repository:acme/a:pull");
  const { token } = (await response.json()) as { token: string };
  assert.equal((await server.ask("GET", "/v2/", { bearer: token })).status, 200);
  await clock.advance(301_000);
  assert.equal((await server.ask("GET", "/v2/", { bearer: token })).status, 401);
});

test("a blob over the limit is refused", async () => {
  await using server = await startRegistry({ maxBlobBytes: 1000 });
  const location = await begin(server, "acme/a");
  assert.equal((await server.ask("PATCH", location, { body: "x".repeat(1001) })).status, 413);
  assert.equal((await server.ask("PATCH", location, { body: "x".repeat(1000) })).status, 202);
});

test("an upload goes on where it was after the client left and after the server was killed", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = await temporaryFolder(stack);
  const child = spawn(process.execPath, [mortalRegistry, folder], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const port = Number(line.toString());
  const headers = { authorization: `Basic ${btoa("u:ada=admin")}` };
  const url = `http://127.0.0.1:${port}/v2/acme/a/blobs/uploads/`;
  const location = (await fetch(url, { method: "POST", headers })).headers.get("location") ?? "";
  await fetch(`http://127.0.0.1:${port}${location}`, { method: "PATCH", headers, body: "first " });
  // Half of a promised chunk, then nothing, then death.
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  const head = `PATCH ${location} HTTP/1.1\r\nHost: x\r\nAuthorization: ${headers.authorization}\r\nContent-Length: 100\r\n`;
  socket.write(`${head}\r\nsecond `);
  const [told] = (await once(child.stdout, "data")) as [Buffer];
  assert.equal(told.toString().trim(), "received 7");
  const dead = once(child, "exit");
  child.kill("SIGKILL");
  await dead;

  await using server = await startRegistry({ folder });
  const status = await server.ask("GET", location);
  assert.deepEqual([status.status, status.headers.get("range")], [204, "0-12"]);
  const third = await server.ask("PATCH", location, { headers: { "content-range": "13-17" }, body: "third" });
  assert.equal(third.status, 202);
  const digest = digestOf("first second third");
  assert.equal((await server.ask("PUT", `${location}?digest=${digest}`)).status, 201);
  assert.equal(await (await server.ask("GET", `/v2/acme/a/blobs/${digest}`)).text(), "first second third");
});

test("collection frees what nothing needs, and nothing that a client was told is there", async () => {
  const clock = new ClockFake("2030-01-01T00:00:00Z");
  await using server = await startRegistry({ clock });
  const { registry } = server;
  const hour = 3_600_000;
  const signal = AbortSignal.timeout(30_000);
  const image = imageFixture("used");
  await pushImage(server, "acme/gc", "v1", image);
  await registry.pushBlob("acme/gc", Buffer.from("unused"), digestOf("unused"));
  await registry.pushBlob("acme/gc", Buffer.from("asked for"), digestOf("asked for"));
  const idle = await begin(server, "acme/gc");

  await clock.advance(20 * hour);
  assert.deepEqual(await registry.collectGarbage(signal), { uploads: 0, links: 0, blobs: 0, files: 0 });
  assert.equal((await server.ask("HEAD", `/v2/acme/gc/blobs/${digestOf("asked for")}`)).status, 200);
  await clock.advance(5 * hour);
  assert.deepEqual(await registry.collectGarbage(signal), { uploads: 1, links: 1, blobs: 1, files: 0 });

  const status = async (path: string): Promise<number> => (await server.ask("GET", path)).status;
  assert.equal(await status(`/v2/acme/gc/blobs/${digestOf("unused")}`), 404);
  assert.equal(await status(`/v2/acme/gc/blobs/${digestOf("asked for")}`), 200);
  assert.equal(await status(`/v2/acme/gc/blobs/${digestOf(image.layer)}`), 200);
  assert.equal(await status(idle), 404);
  await server.ask("DELETE", `/v2/acme/gc/manifests/${image.digest}`);
  await clock.advance(25 * hour);
  assert.equal((await registry.collectGarbage(signal)).blobs, 3);
  await registry.pushBlob("acme/gc", Buffer.from(image.layer), digestOf(image.layer));
  assert.equal(await status(`/v2/acme/gc/blobs/${digestOf(image.layer)}`), 200);
});
