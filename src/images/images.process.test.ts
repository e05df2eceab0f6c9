import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { extract, pack } from "tar-stream";
import Fastify from "fastify";
import { formatProblem, openDatabase, sha256Digest, silentLog, systemClock, systemIds } from "#lib";
import { openRegistry, registryRoutes } from "#registry";
import { buildWithEngine } from "./engine/build.ts";
import { findContainerEngine } from "./engine/detect.ts";
import {
  buildImage,
  createRegistryClient,
  parseImageReference,
  pushImage,
  trimImageCache,
  type BuildOptions,
  type BuiltImage,
  type RegistryClient,
} from "./index.ts";
import { fakeLogin, startRegistryFake, type RegistryFake } from "./testing.ts";

const signal = AbortSignal.timeout(60_000);
function byText(a: string, b: string): number {
  return a < b ? -1 : 1;
}

let folder = "";
let registry: RegistryFake;
let client: RegistryClient;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "images-"));
  registry = await startRegistryFake();
  client = createRegistryClient({
    clock: systemClock,
    credentials: (host) => (host === registry.host ? fakeLogin : undefined),
  });
});
after(async () => {
  await registry[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function context(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const root = join(folder, name);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}

function optionsFor(root: string, more: Partial<BuildOptions> = {}): BuildOptions {
  return {
    contextFolder: root,
    dockerfilePath: join(root, "Dockerfile"),
    buildArgs: {},
    labels: {},
    platform: { os: "linux", architecture: "amd64" },
    cacheFolder: join(folder, "cache"),
    registry: client,
    clock: systemClock,
    signal,
    onProgress: () => {},
    ...more,
  };
}

async function build(root: string, more: Partial<BuildOptions> = {}): Promise<BuiltImage> {
  const outcome = await buildImage(optionsFor(root, more));
  if (outcome.kind === "problems") throw new Error(outcome.problems.map(formatProblem).join("\n"));
  return outcome.image;
}

async function problemsOf(root: string, more: Partial<BuildOptions> = {}): Promise<string> {
  const outcome = await buildImage(optionsFor(root, more));
  return outcome.kind === "problems" ? outcome.problems.map(formatProblem).join("\n") : "";
}

interface RunShape {
  readonly config: Record<string, unknown>;
  readonly rootfs: { readonly diff_ids: string[] };
}

function configOf(image: BuiltImage): RunShape {
  return JSON.parse(image.config.toString()) as RunShape;
}

/** `path mode uid:gid mtime content-or-target` of every member of every layer. */
async function members(image: BuiltImage): Promise<string[]> {
  const lines: string[] = [];
  for (const layer of image.layers) {
    const reader = extract();
    reader.end(gunzipSync(await readFile(layer.path)));
    for await (const entry of reader) {
      const chunks: Buffer[] = [];
      for await (const chunk of entry) chunks.push(chunk as Buffer);
      const { name, mode, uid, gid, mtime, type, linkname } = entry.header;
      const what = type === "symlink" ? `-> ${linkname}` : Buffer.concat(chunks).toString();
      lines.push([name, mode.toString(8), `${uid}:${gid}`, mtime?.getTime(), what].join(" ").trim());
    }
  }
  return lines;
}

test("a scratch image has what the Dockerfile says, and the same context gives the same digest twice", async () => {
  const files = {
    Dockerfile: [
      "ARG DIR=app",
      "FROM scratch AS files",
      "ARG DIR",
      "WORKDIR /$DIR",
      "COPY . .",
      "FROM scratch",
      "ARG GREETING=hello",
      'ENV PORT=8080 MESSAGE="${GREETING} you"',
      "WORKDIR /srv",
      "COPY --from=files --chown=10:20 /app/src ./code/",
      "COPY --chmod=600 <<EOF conf/port",
      "port=$PORT",
      "EOF",
      "EXPOSE $PORT 9000-9001/udp",
      "USER 10",
      "VOLUME /data",
      'LABEL a=1 "b c"=two',
      "HEALTHCHECK --interval=5s --retries=2 CMD wget localhost",
      'ENTRYPOINT ["node"]',
      "CMD server.js",
    ].join("\n"),
    ".dockerignore": "**/*.log\nDockerfile",
    "src/server.js": "serve()",
    "src/lib/a.js": "a",
    "src/debug.log": "x",
  };
  const one = await context("one", files);
  await chmod(join(one, "src/server.js"), 0o775);
  await symlink("lib/a.js", join(one, "src/link"));
  const two = await context("two", files);
  await chmod(join(two, "src/server.js"), 0o700);
  await symlink("lib/a.js", join(two, "src/link"));

  const image = await build(one, { labels: { sha: "abc" } });
  deepEqual(await members(image), [
    "srv/ 755 0:0 0",
    "srv/code/ 755 10:20 0",
    "srv/code/lib/ 755 10:20 0",
    "srv/code/lib/a.js 644 10:20 0 a",
    "srv/code/link 777 10:20 0 -> lib/a.js",
    "srv/code/server.js 755 10:20 0 serve()",
    "srv/conf/ 755 0:0 0",
    "srv/conf/port 600 0:0 0 port=8080",
  ]);
  deepEqual(configOf(image).config, {
    Cmd: ["/bin/sh", "-c", "server.js"],
    Entrypoint: ["node"],
    Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "PORT=8080", "MESSAGE=hello you"],
    ExposedPorts: { "8080/tcp": {}, "9000/udp": {}, "9001/udp": {} },
    Healthcheck: { Interval: 5e9, Retries: 2, Test: ["CMD-SHELL", "wget localhost"] },
    Labels: { a: "1", "b c": "two", sha: "abc" },
    User: "10",
    Volumes: { "/data": {} },
    WorkingDir: "/srv",
  });
  equal((await build(two, { labels: { sha: "abc" }, cacheFolder: join(folder, "other") })).digest, image.digest);
  const changed = await build(one, { buildArgs: { GREETING: "bye" } });
  ok(changed.digest !== image.digest);
});

test("an image is pushed, used as a base with its layers mounted, and links of the base are followed", async () => {
  const base = await build(
    await context("base", {
      Dockerfile: 'FROM scratch\nADD root.tar.gz /\nENV BASE=1\nCMD ["old"]\nONBUILD ENV TRIGGERED=yes',
    }).then(async (root) => {
      const tar = pack();
      tar.entry({ name: "usr/bin/sh", mode: 0o755, uid: 3, gid: 3 }, "shell");
      tar.entry({ name: "bin", type: "symlink", linkname: "usr/bin" });
      tar.entry({ name: "etc/passwd" }, "root:x:0:0\napp:x:1000:1000\n");
      tar.entry({ name: "etc/group" }, "staff:x:50:\n");
      tar.finalize();
      const chunks: Buffer[] = [];
      for await (const chunk of tar) chunks.push(chunk as Buffer);
      await writeFile(join(root, "root.tar.gz"), gzipSync(Buffer.concat(chunks)));
      return root;
    }),
  );
  ok((await members(base)).includes("usr/bin/sh 755 3:3 0 shell"), "ADD unpacks and keeps owners");
  const names = ["v1", "latest"].map((tag) => parseImageReference(`${registry.host}/acme/base:${tag}`));
  await pushImage(client, base, names, { signal, onProgress: () => {} });
  equal(registry.manifests.get("acme/base:latest")?.bytes.toString(), base.manifest.toString());

  const root = await context("shop", {
    Dockerfile: [
      `FROM ${registry.host}/acme/base:v1`,
      "COPY --chown=app:staff tool /bin/tool",
      `COPY --from=${registry.host}/acme/base:latest /bin/sh /copied/`,
      'ENTRYPOINT ["tool"]',
    ].join("\n"),
    tool: "tool",
  });
  const image = await build(root);
  const added = (await members(image)).slice((await members(base)).length);
  deepEqual(added, ["usr/bin/tool 644 1000:50 0 tool", "copied/ 755 0:0 0", "copied/sh 755 0:0 0 shell"]);
  const config = configOf(image).config;
  deepEqual(
    [config["Cmd"], config["OnBuild"]],
    [undefined, undefined],
    "ENTRYPOINT drops the base's CMD, triggers ran",
  );
  ok((config["Env"] as string[]).includes("TRIGGERED=yes"));

  deepEqual(await readdir(join(folder, "cache", "spool")), [], "temporary contents are removed");

  registry.requests.length = 0;
  await pushImage(client, image, [parseImageReference(`${registry.host}/acme/shop:v1`)], {
    signal,
    onProgress: () => {},
  });
  const pushed = JSON.parse(image.manifest.toString()) as { layers: { digest: string }[]; config: { digest: string } };
  for (const { digest } of [...pushed.layers, pushed.config]) ok(registry.blobs.has(digest));
  const first = registry.requests.length;
  await pushImage(client, image, [parseImageReference(`${registry.host}/acme/shop:v2`)], {
    signal,
    onProgress: () => {},
  });
  ok(!registry.requests.slice(first).some((line) => line.startsWith("POST")), "nothing is sent twice");
});

const mistakes: readonly { name: string; dockerfile: string; want: RegExp }[] = [
  {
    name: "RUN",
    dockerfile: "FROM scratch\nCOPY . .\nRUN npm ci",
    want: /^Dockerfile:3:1: RUN: RUN needs a container engine: none was found/,
  },
  {
    name: "a missing source",
    dockerfile: "FROM scratch\nCOPY nope /",
    want: /^Dockerfile:2:1: "nope" was not found in the build context/,
  },
  {
    name: "several sources without a folder",
    dockerfile: "FROM scratch\nCOPY a b /x",
    want: /^Dockerfile:2:1: Cannot copy 2 sources to "\/x"/,
  },
  {
    name: "an owner without passwd",
    dockerfile: "FROM scratch\nCOPY --chown=app a /",
    want: /"\/etc\/passwd" of the image has none: use a number/,
  },
  {
    name: "ADD of a URL",
    dockerfile: "FROM scratch\nADD https://x/y /",
    want: /ADD of a URL needs a container engine/,
  },
  {
    name: "an unknown base",
    dockerfile: "FROM REGISTRY/no/such",
    want: /^Dockerfile:1:1: Cannot pull ".*": the registry answered 404/,
  },
  {
    name: "a file over a folder",
    dockerfile: "FROM scratch\nWORKDIR /a\nCOPY a /",
    want: /^Dockerfile:3:1: Cannot write the file "\/a": there is a folder/,
  },
];
for (const { name, dockerfile, want } of mistakes) {
  test(`a build with ${name} names the line and the remedy`, async () => {
    const text = dockerfile.replace("REGISTRY", registry.host);
    const root = await context(`mistake-${name.replaceAll(" ", "-")}`, { Dockerfile: text, a: "1", b: "2" });
    match(await problemsOf(root), want);
  });
}

/** The registry room itself, with its tokens and its database. */
async function serveOwnRegistry(parts: AsyncDisposableStack): Promise<string> {
  const database = parts.adopt(openDatabase(join(folder, "registry.db")), async (db) => await db.destroy());
  const common = { clock: systemClock, log: silentLog };
  const registry = await openRegistry({ ...common, folder: join(folder, "registry"), database, ids: systemIds });
  const app = parts.adopt(Fastify({ forceCloseConnections: true }), async (app) => await app.close());
  const access = {
    authenticate: (authorization: string | undefined) => {
      const right = `Basic ${Buffer.from("user:secret-1").toString("base64")}`;
      return Promise.resolve(authorization === right ? { name: "ada", scopes: ["admin"] } : undefined);
    },
  };
  await app.register(registryRoutes({ ...common, registry, access, issuer: { secret: new Uint8Array(32).fill(7) } }));
  const base = await app.listen({ host: "127.0.0.1", port: 0 });
  return `tidegate.localhost:${new URL(base).port}`;
}

test("our own registry takes what is pushed, gives it back as a base, and mounts the base's layers", async () => {
  await using parts = new AsyncDisposableStack();
  const host = await serveOwnRegistry(parts);
  const own = createRegistryClient({
    clock: systemClock,
    credentials: () => ({ username: "user", password: "secret-1" }),
  });
  await own.checkLogin(host, signal);
  const base = await build(await context("own-base", { Dockerfile: "FROM scratch\nCOPY a /", a: "1".repeat(100_000) }));
  await pushImage(own, base, [parseImageReference(`${host}/acme/base:1`)], { signal, onProgress: () => {} });
  const root = await context("own-shop", { Dockerfile: `FROM ${host}/acme/base:1\nCOPY b /`, b: "2" });
  const image = await build(root, { registry: own, cacheFolder: join(folder, "own-cache") });
  const how: string[] = [];
  await pushImage(own, image, [parseImageReference(`${host}/acme/shop:1`)], {
    signal,
    onProgress: (line) => how.push(line),
  });
  deepEqual(how.map((line) => /present|mounted|uploaded|pushed/.exec(line)?.[0] ?? "").sort(byText), [
    "mounted",
    "pushed",
    "uploaded",
  ]);
  const pulled = await own.getManifest(parseImageReference(`${host}/acme/shop@${image.digest}`), signal);
  equal(pulled.bytes.toString(), image.manifest.toString());
});

test("the cache loses its longest unused layers, not those in use", async () => {
  const root = await context("trimmed", { Dockerfile: "FROM scratch\nCOPY a /\nCOPY b /", a: "1", b: "2" });
  const cacheFolder = join(folder, "trim-cache");
  const { layers } = await build(root, { cacheFolder });
  const [old, fresh] = layers.map((layer) => layer.path);
  await utimes(old ?? "", 1000, 1000);
  const usedBefore = systemClock.now().subtract({ hours: 1 });
  equal(await trimImageCache(cacheFolder, { maxBytes: 1, usedBefore }), layers[0]?.size);
  await rejects(readFile(old ?? ""), { code: "ENOENT" });
  ok((await readFile(fresh ?? "")).length > 0);
});

test("a stage nobody needs may hold RUN", async () => {
  const root = await context("unneeded", { Dockerfile: "FROM scratch AS dev\nRUN x\nFROM scratch\nCOPY a /", a: "1" });
  equal((await build(root)).layers.length, 1);
  match(await problemsOf(root, { target: "dev" }), /RUN needs a container engine/);
  match(await problemsOf(root, { target: "prod" }), /There is no stage "prod": the stages are dev, 1/);
});

test("a blob whose bytes are not its digest's is refused and leaves no file", async () => {
  const digest = `sha256:${"b".repeat(64)}`;
  registry.blobs.set(digest, Buffer.from("other"));
  const target = join(folder, "pulled");
  const reference = parseImageReference(`${registry.host}/acme/base:v1`);
  await rejects(client.pullBlob(reference, digest, target, signal), { code: "images/digest-mismatch" });
  await rejects(readFile(target), { code: "ENOENT" });
});

test("a registry that loses the first answer to every request gets and gives all the same when one is patient", async () => {
  await using shaky = await startRegistryFake();
  const said: string[] = [];
  const options = { clock: systemClock, credentials: () => fakeLogin };
  const patience = { forHostMs: () => 20_000, onWait: (message: string) => void said.push(message) };
  const patient = createRegistryClient({ ...options, patience });
  const reference = parseImageReference(`${shaky.host}/acme/shaky:v1`);
  const bytes = Buffer.from("layer");
  const digest = sha256Digest(bytes);
  const blob = { digest, size: bytes.length, content: { bytes } };
  shaky.loseFirstAnswers();
  await patient.pushBlob(reference, blob, undefined, signal);
  await patient.pushManifest(reference, Buffer.from("{}"), "application/vnd.oci.image.manifest.v1+json", signal);
  equal((await patient.getManifest(reference, signal)).bytes.toString(), "{}");
  equal((await patient.readBlob(reference, digest, signal)).toString(), "layer");
  ok(said.length >= 3 && said.every((line) => line.includes(shaky.host)));
  const hasty = createRegistryClient(options);
  await rejects(hasty.getManifest(parseImageReference(`${shaky.host}/acme/shaky:v2`), signal), {
    code: "images/registry-unreachable",
  });
});

test("wrong credentials are refused without being shown", async () => {
  const wrong = createRegistryClient({
    clock: systemClock,
    credentials: () => ({ username: "ada", password: "guess" }),
  });
  const pull = wrong.getManifest(parseImageReference(`${registry.host}/acme/base:v1`), signal);
  await rejects(
    pull,
    (error: Error) => /check the user name and password/.test(error.message) && !error.message.includes("guess"),
  );
});

test("without an engine on the PATH the search says what was looked for", async () => {
  const search = await findContainerEngine({ env: { PATH: folder }, signal });
  equal(search.engine, undefined);
  match(search.summary, /docker: not installed; podman: not installed; buildah: not installed/);
});

test("a Dockerfile with RUN goes to the engine that is there, secrets not on its command line", async () => {
  const bin = await context("bin", {
    podman: [
      "#!/bin/sh",
      '[ "$1" = --version ] && echo "podman version 4.3.1" && exit',
      `echo "$@" >> ${join(folder, "argv")}`,
      `[ "$1" = build ] && { shift 4; echo sha256:1234 > "$1"; echo "token is $TOKEN"; }`,
      '[ "$1" = push ] && { cp "$DOCKER_CONFIG/config.json" ' + join(folder, "auth") + '; echo "sha256:5678" > "$3"; }',
      "exit 0",
    ].join("\n"),
  });
  await chmod(join(bin, "podman"), 0o755);
  const env = { PATH: `${bin}:/bin:/usr/bin` };
  const search = await findContainerEngine({ env: { PATH: bin }, signal });
  equal(search.engine?.program, "podman");
  const lines: string[] = [];
  const result = await buildWithEngine(
    { program: "podman", version: "4.3.1" },
    {
      contextFolder: bin,
      dockerfilePath: join(bin, "Dockerfile"),
      buildArgs: { TOKEN: "hush" },
      labels: {},
      tags: ["h:1/a:b"],
      push: true,
      credentials: new Map([["h:1", fakeLogin]]),
      env,
      tempFolder: folder,
      signal,
      onProgress: (line) => lines.push(line),
    },
  );
  deepEqual(result, { imageId: "sha256:1234", digest: "sha256:5678" });
  deepEqual(lines, ["token is hush"]);
  const argv = await readFile(join(folder, "argv"), "utf8");
  ok(!argv.includes("hush") && !argv.includes(fakeLogin.password));
  match(await readFile(join(folder, "auth"), "utf8"), /"h:1":\{"auth":/);
});
