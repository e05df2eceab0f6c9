import { deepEqual, equal, match, ok } from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { commandOutput } from "#lib";
import type { JobAssignment } from "#workflows";
import { createRunner, type Runner } from "../index.ts";
import { ControlFake, jobWith, logOf, type JobRecord, type StepText, runnerOptions } from "../testing.ts";

const signal = AbortSignal.timeout(90_000);
const hostPath = (process.env["PATH"] ?? "")
  .split(":")
  .filter((folder) => !folder.includes("node_modules"))
  .join(":");
const token = "tok-1234567890";

let folder = "";
let gitServer: Server;
let gitRequests: { url: string; authorization: string | undefined }[] = [];
/** What becomes of the next requests for git, as of a server that is killed and comes back; then all is well again. */
const gitTroubles: ("cut" | "half" | "busy")[] = [];
let registry: MiniRegistry;
let control: ControlFake;
let runner: Runner;
let running: Promise<void>;
let sha = "";
const stop = new AbortController();

/** The least of a registry that a login and a push need, Basic authentication only. */
class MiniRegistry {
  readonly blobs = new Map<string, Buffer>();
  readonly manifests = new Map<string, Buffer>();
  readonly server = createServer((request, response) => void this.#serve(request, response));

  get host(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const url = new URL(request.url ?? "/", "http://x");
    const wanted = `Basic ${Buffer.from("ada:pass-word-1").toString("base64")}`;
    const last = url.pathname.split("/").at(-1) ?? "";
    if (request.headers.authorization !== wanted) response.writeHead(401, { "www-authenticate": "Basic realm=x" });
    else if (request.method === "HEAD") response.writeHead(this.blobs.has(last) ? 200 : 404);
    else if (request.method === "POST") response.writeHead(202, { location: `${url.pathname}one` });
    else if (request.method === "PUT" && url.pathname.includes("/manifests/")) {
      this.manifests.set(url.pathname, Buffer.concat(chunks));
      response.writeHead(201);
    } else if (request.method === "PUT") {
      this.blobs.set(url.searchParams.get("digest") ?? "", Buffer.concat(chunks));
      response.writeHead(201);
    } else response.writeHead(200);
    response.end();
  }
}

/** Git's own smart HTTP, behind the authorisation that actions/checkout sends. */
function serveGit(root: string): Server {
  return createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://x");
    gitRequests.push({ url: url.pathname, authorization: request.headers.authorization });
    const trouble = gitTroubles.shift();
    if (trouble === "cut") return void request.socket.destroy();
    if (trouble === "busy") return void response.writeHead(503).end();
    if (trouble === "half") {
      response.writeHead(200, { "content-length": 1000 }).write("001e#");
      return void setImmediate(() => request.socket.destroy());
    }
    const basic = Buffer.from(`x-access-token:${token}`).toString("base64");
    if (request.headers.authorization !== `basic ${basic}`) {
      response.writeHead(401, { "www-authenticate": "Basic" }).end();
      return;
    }
    const child = spawn("git", ["http-backend"], {
      env: {
        PATH: hostPath,
        GIT_PROJECT_ROOT: root,
        GIT_HTTP_EXPORT_ALL: "1",
        PATH_INFO: url.pathname,
        QUERY_STRING: url.search.slice(1),
        REQUEST_METHOD: request.method ?? "GET",
        CONTENT_TYPE: request.headers["content-type"] ?? "",
        HTTP_CONTENT_ENCODING: String(request.headers["content-encoding"] ?? ""),
        GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
      },
    });
    request.pipe(child.stdin);
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.on("close", () => {
      const whole = Buffer.concat(chunks);
      const split = whole.indexOf("\r\n\r\n");
      const headers = whole.subarray(0, split).toString().split("\r\n");
      let status = 200;
      for (const header of headers) {
        const [name = "", value = ""] = header.split(": ");
        if (name === "Status") status = Number.parseInt(value, 10);
        else response.setHeader(name, value);
      }
      response.writeHead(status).end(whole.subarray(split + 4));
    });
  });
}

const engines: ReadonlySet<string> = new Set(["docker", "podman", "buildah"]);

/** The machine's programs but container engines, which some machines have and some have not. */
async function withoutEngines(bin: string): Promise<string> {
  const seen = new Set(engines);
  await mkdir(bin);
  for (const from of hostPath.split(":")) {
    for (const name of await readdir(from).catch(() => [])) {
      if (seen.has(name)) continue;
      seen.add(name);
      await symlink(join(from, name), join(bin, name));
    }
  }
  return bin;
}

async function git(...args: string[]): Promise<string> {
  const env = { PATH: hostPath, HOME: folder, GIT_CONFIG_NOSYSTEM: "1" };
  return (await commandOutput("git", args, { env, signal })).toString().trim();
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "actions-"));
  const bare = join(folder, "repos", "acme", "shop");
  const work = join(folder, "seed");
  await git("init", "-q", "--bare", bare);
  await git("-C", bare, "config", "uploadpack.allowAnySHA1InWant", "true");
  await git("init", "-q", "-b", "main", work);
  await git("-C", work, "config", "user.name", "Ada");
  await git("-C", work, "config", "user.email", "ada@example.com");
  await writeFile(join(work, ".nvmrc"), "v20\n");
  await writeFile(join(work, "server.js"), "console.log(1)\n");
  await writeFile(
    join(work, "Dockerfile"),
    'FROM scratch\nWORKDIR /app\nCOPY server.js ./\nCMD ["node", "server.js"]\n',
  );
  await writeFile(join(work, "Dockerfile.bad"), "FROM scratch\nRUN npm ci\n");
  await git("-C", work, "add", ".");
  await git("-C", work, "commit", "-q", "-m", "one");
  await git("-C", work, "tag", "-a", "v1.2.3", "-m", "release");
  await git("-C", work, "branch", "feature/x");
  await git("-C", work, "push", "-q", bare, "main", "feature/x", "v1.2.3");
  sha = await git("-C", work, "rev-parse", "HEAD");
  gitServer = serveGit(join(folder, "repos"));
  registry = new MiniRegistry();
  for (const server of [gitServer, registry.server])
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  control = new ControlFake();
  await control.start();
  runner = createRunner(
    runnerOptions(control, {
      workFolder: join(folder, "work"),
      baseEnv: { PATH: await withoutEngines(join(folder, "bin")), HOME: folder },
    }),
  );
  running = runner.run(stop.signal);
});
after(async () => {
  stop.abort();
  await running;
  await control[Symbol.asyncDispose]();
  for (const server of [gitServer, registry.server]) {
    server.closeAllConnections();
    server.close();
  }
  await rm(folder, { recursive: true, force: true });
});

let count = 0;
async function runJob(steps: readonly StepText[], more: Partial<JobAssignment> = {}): Promise<JobRecord> {
  const port = (gitServer.address() as AddressInfo).port;
  const base = jobWith(`job-${++count}`, steps);
  const services = {
    ...base.services,
    // The name must not be needed: git is sent to the address.
    serverUrl: `http://tidegate.invalid:${port}`,
    internalServerUrl: `http://127.0.0.1:${port}`,
  };
  const event = {
    head_commit: { timestamp: "2026-02-03T04:05:06Z" },
    repository: { default_branch: "main", name: "shop" },
  };
  const github = { ...base.contexts.github, sha, event, ref: "refs/heads/main", event_name: "push" };
  const record = control.queue({ ...base, sha, services, contexts: { ...base.contexts, github }, ...more });
  await control.until(record, ({ completed }) => completed !== undefined, signal);
  return record;
}

test("checkout fetches the commit by the address, keeps the token off command lines, and removes it at the end", async () => {
  gitRequests = [];
  const record = await runJob([
    { id: "co", uses: "actions/checkout@v4" },
    {
      name: "look",
      run: [
        "git status --short --branch; git log --oneline | wc -l; cat server.js",
        'test "$(git rev-parse HEAD)" = "${{ steps.co.outputs.commit }}"',
        "git remote get-url origin; git config --get-regexp 'http.*' | wc -l; ! grep -rq 'tok-1234' .git",
        // Later git commands are authorised without being given anything.
        "git fetch -q origin feature/x; git ls-remote --tags origin | wc -l",
        'ls "$RUNNER_TEMP"/git-credentials-*; stat -c %a "$RUNNER_TEMP"/git-credentials-*',
      ].join("\n"),
    },
  ]);
  const log = logOf(record, "look");
  equal(record.completed?.conclusion, "success", logOf(record, "Run actions/checkout@v4") + log);
  match(log, /## main(?:\.\.\.origin\/main)?\n1\nconsole\.log\(1\)/);
  match(log, /\n600$/);
  ok(gitRequests.every(({ url }) => url.startsWith("/acme/shop/")));
  equal(record.completed?.steps.at(-2)?.name, "Post Run actions/checkout@v4");
  match(logOf(record, "Post Run actions/checkout@v4"), /credentials were removed/);
});

test("checkout outlasts a server that breaks off, is busy and comes back", async () => {
  gitTroubles.push("cut", "half", "busy");
  const record = await runJob([{ uses: "actions/checkout@v4" }, { name: "look", run: "cat server.js" }]);
  const log = logOf(record, "Run actions/checkout@v4");
  equal(record.completed?.conclusion, "success", log);
  match(log, /The server does not answer, trying on: /);
  equal(gitTroubles.length, 0);
});

test("checkout takes a branch, an annotated tag, a path and no credentials, and names what it cannot find", async () => {
  const record = await runJob([
    { uses: "actions/checkout@v4", with: { ref: "feature/x", path: "a" }, name: "branch" },
    {
      uses: "actions/checkout@v4",
      with: { ref: "v1.2.3", path: "b", "persist-credentials": "false", "fetch-depth": "0" },
      name: "tag",
    },
    { name: "look", run: "git -C a branch --show-current; git -C b describe --tags; ! git -C b fetch -q origin" },
    { uses: "actions/checkout@v4", with: { ref: "nope" }, name: "missing" },
  ]);
  match(logOf(record, "look"), /\nfeature\/x\nv1\.2\.3\n/);
  match(logOf(record, "missing"), /A branch or tag with the name "nope" could not be found in acme\/shop/);
  equal(record.completed?.conclusion, "failure");
});

test("a commit becomes an image in the registry: login, metadata, build, push", async () => {
  const image = `${registry.host}/acme/shop`;
  const record = await runJob(
    [
      { uses: "actions/checkout@v4" },
      { uses: "docker/setup-buildx-action@v3" },
      { uses: "docker/login-action@v3", with: { registry: registry.host, username: "ada", password: "pass-word-1" } },
      {
        id: "meta",
        uses: "docker/metadata-action@v5",
        with: { images: image, tags: "type=sha,prefix=,format=short\ntype=raw,value=latest" },
      },
      {
        id: "build",
        uses: "docker/build-push-action@v6",
        with: {
          context: ".",
          push: "true",
          tags: "${{ steps.meta.outputs.tags }}",
          labels: "${{ steps.meta.outputs.labels }}",
        },
      },
      {
        name: "same from git",
        id: "again",
        uses: "docker/build-push-action@v6",
        with: { tags: "x:1", labels: "${{ steps.meta.outputs.labels }}" },
      },
      { name: "docker config", run: 'cat "$DOCKER_CONFIG/config.json"; stat -c %a "$DOCKER_CONFIG/config.json"' },
    ],
    {
      outputs: {
        digest: "${{ steps.build.outputs.digest }}",
        again: "${{ steps.again.outputs.digest }}",
        tag: "${{ steps.meta.outputs.version }}",
      },
    },
  );
  const build = record.completed?.steps.find((step) => step.name.includes("build-push"))?.name ?? "";
  equal(record.completed?.conclusion, "success", logOf(record, build) + logOf(record, "same from git"));
  const { digest, again, tag } = record.completed?.outputs ?? {};
  equal(tag, "latest", "by default a raw tag is of higher priority than a sha");
  equal(again, digest, "the same commit gives the same image");
  for (const name of [sha.slice(0, 7), "latest"]) ok(registry.manifests.has(`/v2/acme/shop/manifests/${name}`));
  const config = logOf(record, "docker config");
  ok(!config.includes("pass-word-1") && !config.includes(Buffer.from("ada:pass-word-1").toString("base64")), config);
  match(config, /\}600$/);
});

test("a Dockerfile with RUN and no engine is annotated at its line", async () => {
  const record = await runJob([
    { uses: "actions/checkout@v4" },
    { uses: "docker/build-push-action@v6", with: { context: ".", file: "Dockerfile.bad" } },
  ]);
  equal(record.completed?.conclusion, "failure");
  const [annotation] = record.completed?.annotations ?? [];
  deepEqual([annotation?.path, annotation?.startLine], ["Dockerfile.bad", 2]);
  match(annotation?.message ?? "", /^RUN needs a container engine: none was found \(docker/);
});

test("a wrong password fails at the login, and is not shown", async () => {
  const login = { registry: registry.host, username: "ada", password: "wrong-pass-1" };
  const record = await runJob([{ name: "login", uses: "docker/login-action@v3", with: login }]);
  match(logOf(record, "login"), /Cannot log in to registry .* answered 401, check the user name and password/);
  ok(!logOf(record, "login").includes("wrong-pass-1"));
});

test("setup-node finds versions in the tool cache and on the host, and names them when none fits", async () => {
  const bin = join(folder, "work", "shared", "tools", "node", "18.9.1", "x64", "bin");
  await mkdir(bin, { recursive: true });
  await writeFile(join(bin, "node"), "#!/bin/sh\necho v18.9.1\n", { mode: 0o755 });
  await writeFile(join(bin, "..", "..", "x64.complete"), "");
  const own = process.version;
  const record = await runJob([
    { uses: "actions/setup-node@v4", id: "cached", with: { "node-version": "18.x" } },
    { run: 'test "$(node --version)" = v18.9.1', name: "uses it" },
    {
      uses: "actions/setup-node@v4",
      id: "own",
      with: { "node-version": own, "registry-url": "https://npm.example.com", scope: "acme" },
    },
    { run: 'node --version; cat "$NPM_CONFIG_USERCONFIG"', name: "own" },
    { uses: "actions/setup-node@v4", with: { "node-version": "9" }, name: "none" },
  ]);
  const steps = record.completed?.steps.map(({ conclusion }) => conclusion).slice(0, 6);
  deepEqual(steps, ["success", "success", "success", "success", "success", "failure"], logOf(record, "none"));
  match(
    logOf(record, "own"),
    new RegExp(`\\n${own}\\n//npm\\.example\\.com/:_authToken=\\$\\{NODE_AUTH_TOKEN\\}\\n@acme:registry=https`),
  );
  match(
    logOf(record, "none"),
    /Node 9 is not available and this runner downloads nothing: there is 18\.9\.1 \(tool cache\)/,
  );
  ok((await readFile(join(bin, "node"), "utf8")).length > 0);
});
