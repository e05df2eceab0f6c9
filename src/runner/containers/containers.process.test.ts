/** Jobs in containers, with services beside them, and actions that are containers, on a real engine. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { EngineClient, engineText, findEngine, readProgress } from "#engine";
import { runCommand } from "#lib";
import type { ContainerSpec, JobAssignment } from "#workflows";
import { createRunner, type Runner, type RunnerOptions } from "../index.ts";
import { ControlFake, jobWith, logOf, logText, type JobRecord, type StepText, runnerOptions } from "../testing.ts";

const signal = AbortSignal.timeout(280_000);
const hostPath = (process.env["PATH"] ?? "")
  .split(":")
  .filter((folder) => !folder.includes("node_modules"))
  .join(":");

/** The engine of this machine, or why there is none. */
async function engineHere(): Promise<EngineClient | string> {
  try {
    const address = findEngine(process.env["TIDEGATE_TEST_ENGINE"] ?? process.env["DOCKER_HOST"]);
    return await EngineClient.connect(address, AbortSignal.timeout(5000));
  } catch (error) {
    return (error as Error).message;
  }
}

const engine = await engineHere();
const busybox = await runCommand("sh", ["-c", "command -v busybox"], { signal, env: { PATH: hostPath } });
const skip =
  typeof engine === "string" ? engine : busybox.exitCode === 0 ? false : "busybox, for images, is not on this machine";

const image = `tidegate.local/job-test-${process.pid}:1`;
const nodeImage = `tidegate.local/job-test-${process.pid}:node`;

let folder = "";
let control: ControlFake;
let runner: Runner;
let running: Promise<void>;
const stop = new AbortController();

function options(workFolder: string, more: Partial<RunnerOptions> = {}): RunnerOptions {
  return runnerOptions(control, {
    labels: ["linux"],
    workFolder,
    concurrency: 2,
    baseEnv: { PATH: hostPath, HOME: folder, LANG: "C.UTF-8" },
    ...(typeof engine === "string" ? {} : { engine: engineText(engine.address) }),
    ...more,
  });
}

/** A small root file system with busybox in it; with `libraries` also what the machine's Node.js is linked with. */
async function makeImage(name: string, libraries: boolean): Promise<void> {
  assert.ok(typeof engine !== "string");
  const root = await mkdtemp(join(folder, "root-"));
  for (const path of ["bin", "etc", "tmp", "www"]) await mkdir(join(root, path));
  await copyFile(busybox.stdout.toString("utf8").trim(), join(root, "bin", "busybox"));
  const names = "sh cat env echo grep httpd id kill ls pwd sleep tail test touch tr true wc wget".split(" ");
  for (const program of names) await symlink("busybox", join(root, "bin", program));
  await writeFile(join(root, "etc", "marker"), "in the container\n");
  await writeFile(join(root, "www", "index.html"), "served\n");
  if (libraries) {
    const listed = await runCommand("ldd", [await realpath(process.execPath)], { signal, env: { PATH: hostPath } });
    for (const [, path = ""] of listed.stdout.toString("utf8").matchAll(/(\/\S+) \(0x/g)) {
      await mkdir(join(root, dirname(path)), { recursive: true });
      await copyFile(path, join(root, path));
    }
  }
  const tar = spawn("tar", ["--create", "--directory", root, "."], { stdio: ["ignore", "pipe", "inherit"] });
  // With its tag: Podman passes over the parameter of that name.
  const query = { fromSrc: "-", repo: name, changes: "CMD httpd -f -p 8080 -h /www" };
  await readProgress(await engine.stream("POST", "/images/create", { query, archive: tar.stdout, signal }));
}

let count = 0;
async function runJob(steps: readonly StepText[], more: Partial<JobAssignment> = {}): Promise<JobRecord> {
  const record = control.queue(jobWith(`job-${++count}`, steps, more));
  await control.until(record, ({ completed }) => completed !== undefined, signal);
  return record;
}

function spec(more: Partial<ContainerSpec> = {}): ContainerSpec {
  return { image, env: {}, ports: [], volumes: [], ...more };
}

/** All that was logged, for messages of failed assertions. */
function whole(record: JobRecord): string {
  return [...record.logs.keys()].map((step) => logText(record, step)).join("\n");
}

function succeeded(record: JobRecord): void {
  assert.equal(record.completed?.conclusion, "success", whole(record));
}

async function left(): Promise<number> {
  assert.ok(typeof engine !== "string");
  const filters = JSON.stringify({ label: ["tidegate.dev/job"] });
  const containers = await engine.json<unknown[]>("GET", "/containers/json", { query: { all: 1, filters }, signal });
  const networks = await engine.json<unknown[]>("GET", "/networks", { query: { filters }, signal });
  return containers.length + networks.length;
}

const health = '--health-cmd "test -e /tmp/well" --health-interval 200ms --health-timeout 5s --health-retries 50';

describe("jobs with containers", { skip }, () => {
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "containers-"));
    await makeImage(image, false);
    await makeImage(nodeImage, true);
    control = new ControlFake();
    await control.start();
    runner = createRunner(options(join(folder, "work")));
    running = runner.run(stop.signal);
  });
  after(async () => {
    stop.abort();
    await running;
    await runner[Symbol.asyncDispose]();
    await control[Symbol.asyncDispose]();
    assert.ok(typeof engine !== "string");
    for (const name of [image, nodeImage]) {
      await engine.send("DELETE", `/images/${encodeURIComponent(name)}`, { query: { force: 1 }, signal });
    }
    await rm(folder, { recursive: true, force: true });
  });

  test("steps run in the job's container, in folders that it shares with the runner", async () => {
    const record = await runJob(
      [
        {
          name: "look",
          id: "look",
          run: [
            "cat /etc/marker; pwd; echo $0 | grep -c bash || true",
            'test "$GITHUB_WORKSPACE $RUNNER_TEMP $HOME" = "/__w/shop/shop /__w/_temp /github/home"',
            'test "$RUNNER_TOOL_CACHE $GITHUB_EVENT_PATH" = "/__t /github/workflow/event.json"; cat "$GITHUB_EVENT_PATH"',
            'test "$COLOUR $LEVEL" = "red job"; test -z "${SHELL-}"; id -u; cat /extra/x',
            "printf '#!/bin/sh\\necho tool\\n' > $RUNNER_TEMP/mytool; busybox chmod +x $RUNNER_TEMP/mytool",
            'echo "$RUNNER_TEMP" >> "$GITHUB_PATH"; echo "made=here" >> "$GITHUB_OUTPUT"; echo "NEXT=yes" >> "$GITHUB_ENV"',
            "mkdir -p sub 2>/dev/null || busybox mkdir -p sub; echo x > file.txt",
          ].join("\n"),
        },
        {
          name: "use",
          run: [
            'mytool; echo "${{ steps.look.outputs.made }} $NEXT ${{ github.workspace }} ${{ runner.temp }}"',
            "test -n '${{ job.container.id }}' && test -n '${{ job.container.network }}'",
            "echo hash=${{ hashFiles('file.txt') == hashFiles(format('{0}/file.txt', github.workspace)) }}${{ hashFiles('file.txt') != '' }}",
          ].join("\n"),
        },
        { name: "elsewhere", shell: "sh", workingDirectory: "sub", run: "pwd" },
        { name: "failing", continueOnError: true, run: "exit 7" },
        { name: "missing shell", shell: "bash", continueOnError: true, run: "true" },
      ],
      {
        container: spec({
          env: { COLOUR: "red" },
          volumes: [`${await extraFolder()}:/extra:ro`],
          options: "--user 0 --cpus 1 --memory 256m --hostname inside",
        }),
      },
    );
    succeeded(record);
    const look = logOf(record, "look");
    for (const line of ["in the container", "/__w/shop/shop", "extra", "0"])
      assert.match(look, new RegExp(`^${line}$`, "m"));
    assert.match(logOf(record, "use"), /^tool\nhere yes \/__w\/shop\/shop \/__w\/_temp$/m);
    assert.match(logOf(record, "use"), /^hash=truetrue$/m);
    assert.match(logOf(record, "elsewhere"), /^\/__w\/shop\/shop\/sub$/m);
    assert.match(logOf(record, "failing"), /Process completed with exit code 7/);
    assert.match(logOf(record, "missing shell"), /bash/);
    assert.equal(await left(), 0, "nothing is left of the job");
  });

  async function extraFolder(): Promise<string> {
    const extra = join(folder, "extra");
    await mkdir(extra, { recursive: true });
    await writeFile(join(extra, "x"), "extra\n");
    return extra;
  }

  test("services are waited for, reached by name from a container and by port from the machine", async () => {
    const services = {
      web: spec({
        ports: ["8080"],
        options: health,
        command: 'sh -c "sleep 1; touch /tmp/well; httpd -f -p 8080 -h /www"',
      }),
      none: spec({ image: "" }),
    };
    const inside = await runJob([{ name: "ask", run: "wget -qO- http://web:8080/; env | grep -c ^CI=true" }], {
      container: spec(),
      serviceContainers: services,
    });
    succeeded(inside);
    assert.match(logOf(inside, "ask"), /^served$/m);
    assert.match(logOf(inside, "Initialize containers"), /^web is healthy$/m);
    const ask = "exec 3<>/dev/tcp/127.0.0.1/$PORT; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3";
    const outside = await runJob(
      [{ name: "ask", shell: "bash", env: { PORT: "${{ job.services.web.ports['8080'] }}" }, run: ask }],
      { serviceContainers: services },
    );
    succeeded(outside);
    assert.match(logOf(outside, "ask"), /^served$/m);
  });

  test("a service that does not get well fails the job, with its log", async () => {
    const sick = spec({
      command: 'sh -c "echo I am ill; sleep 60"',
      options: health.replace("retries 50", "retries 2"),
    });
    const record = await runJob([{ name: "never", run: "true" }], { serviceContainers: { sick } });
    assert.equal(record.completed?.conclusion, "failure");
    assert.match(
      logOf(record, "Initialize containers"),
      /I am ill[\s\S]*Service "sick" did not start: its health check/,
    );
    assert.equal(record.completed?.steps.find(({ name }) => name === "never")?.conclusion, "skipped");
    assert.equal(await left(), 0);
  });

  test("from a container the server is where it is for the machine", async () => {
    const server = createServer((_request, response) => response.end("hello from the server\n"));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const base = jobWith("x", []).services;
    const url = `http://tidegate.localhost:${port}`;
    const services = { ...base, serverUrl: url, apiUrl: `http://127.0.0.1:${port}`, internalServerUrl: url };
    const run = 'wget -qO- "$GITHUB_SERVER_URL"; wget -qO- "$GITHUB_API_URL"';
    const github = { ...jobWith("x", []).contexts.github, server_url: url, api_url: services.apiUrl };
    const contexts = { ...jobWith("x", []).contexts, github };
    const record = await runJob(
      [
        { name: "ask", run },
        {
          name: "action",
          uses: `docker://${image}`,
          with: { entrypoint: "sh", args: `-c "${run.replaceAll('"', '\\"').replaceAll("$", "\\$")}"` },
        },
      ],
      {
        container: spec(),
        services,
        contexts,
      },
    );
    server.close();
    succeeded(record);
    const said = "hello from the server";
    for (const step of ["ask", "action"]) assert.equal(logOf(record, step).split(said).length, 3, logOf(record, step));
  });

  test("JavaScript actions run in the container with the runner's Node.js, and say what they lack", async () => {
    const files = {
      "action.yml":
        "name: js\ninputs: { who: { default: you } }\nruns: { using: node24, main: main.js, post: post.js }\n",
      "main.js": `const fs = require("node:fs");
console.log(fs.readFileSync("/etc/marker", "utf8").trim(), process.env.INPUT_WHO, process.cwd());
fs.appendFileSync(process.env.GITHUB_STATE, "kept=state\\n");`,
      "post.js": "console.log('post', process.env.STATE_kept)",
    };
    const make = Object.entries(files).map(
      ([name, text]) => `echo ${Buffer.from(text).toString("base64")} | busybox base64 -d > act/${name}`,
    );
    const steps: StepText[] = [
      { name: "write", run: ["busybox mkdir act", ...make].join("\n") },
      { name: "js", uses: "./act", with: { who: "me" } },
    ];
    const record = await runJob(steps, { container: spec({ image: nodeImage }) });
    succeeded(record);
    assert.match(logOf(record, "js"), /^in the container me \/__w\/shop\/shop$/m);
    assert.match(logOf(record, "Post js"), /^post state$/m);
    const without = await runJob(steps, { container: spec() });
    assert.equal(without.completed?.conclusion, "failure");
    assert.match(logOf(without, "js"), /JavaScript actions cannot run in image .*Use an image that has Node\.js/);
  });

  test("a Docker action is built and run, with its entrypoints, arguments, environment and outputs", async () => {
    const files = {
      "action.yml": `name: boxed
inputs: { who: { default: you } }
outputs: { said: {} }
runs:
  using: docker
  image: Dockerfile
  args: ["\${{ inputs.who }}", "two words"]
  env: { MOOD: "good-\${{ inputs.who }}" }
  pre-entrypoint: /before.sh
  post-entrypoint: /after.sh
`,
      Dockerfile: `FROM ${image}\nCOPY --chmod=755 *.sh /\nENTRYPOINT ["/main.sh"]\n`.replace("--chmod=755 ", ""),
      "main.sh": `#!/bin/sh
echo "main $1/$2 $INPUT_WHO $MOOD $(pwd) $HOME"; cat "$GITHUB_EVENT_PATH" file.txt
echo "said=$1 at $GITHUB_WORKSPACE" >> "$GITHUB_OUTPUT"; echo "kept=yes" >> "$GITHUB_STATE"; echo made > from-action
echo "::notice::from the action"
`,
      "before.sh": "#!/bin/sh\necho before\n",
      "after.sh": '#!/bin/sh\necho "after $STATE_kept"\n',
    };
    const make = Object.entries(files).map(
      ([name, text]) =>
        `echo ${Buffer.from(text).toString("base64")} | busybox base64 -d > act/${name}; chmod +x act/${name}`,
    );
    const steps: StepText[] = [
      { name: "write", run: ["mkdir -p act told; echo workspace > file.txt", ...make].join("\n") },
      {
        name: "write another",
        run: `echo '{ runs: { using: docker, image: "docker://${image}", env: { MOOD: own, TONE: own } } }' > told/action.yml`,
      },
      { name: "boxed", id: "boxed", uses: "./act", with: { who: "me" } },
      { name: "see", run: "cat from-action; echo '${{ steps.boxed.outputs.said }}'" },
      {
        name: "image",
        uses: `docker://${image}`,
        with: { entrypoint: "/bin/sh", args: "-c 'echo $0 from the image' all" },
      },
      {
        name: "told",
        uses: "./told",
        with: { EntryPoint: "/bin/sh", args: "-c 'echo $0 $MOOD $TONE $INPUT_MORE' all", more: "1" },
        env: { MOOD: "set" },
      },
      { name: "fails", uses: `docker://${image}`, continueOnError: true, with: { args: "sh -c 'exit 9'" } },
    ];
    const record = await runJob(steps);
    succeeded(record);
    const boxed = logOf(record, "boxed");
    assert.match(boxed, /^before\n/m);
    assert.match(boxed, /^main me\/two words me good-me \/github\/workspace \/github\/home$/m);
    assert.match(boxed, /"number": 5[\s\S]*workspace$/m);
    assert.match(logOf(record, "see"), /^made\nme at \/github\/workspace$/m);
    assert.match(logOf(record, "image"), /^all from the image$/m);
    // What the step says of an action that says nothing itself, and of the environment in any case.
    assert.match(logOf(record, "told"), /^all set own 1$/m);
    assert.match(logOf(record, "fails"), /exit code 9/);
    assert.match(logOf(record, "Post boxed"), /^after yes$/m);
    assert.equal(
      record.completed?.annotations.some(({ message }) => message === "from the action"),
      true,
    );
    assert.equal(await left(), 0);
  });

  test("a step that takes too long is ended in the container, and the job goes on", async () => {
    const record = await runJob(
      [
        { name: "long", timeoutMinutes: 0.02, continueOnError: true, run: "echo begun; sleep 300" },
        { name: "look", run: "! busybox ps | grep -v grep | grep -q 'sleep 300' && echo gone" },
        { name: "background", run: "sleep 300 & echo started" },
      ],
      { container: spec() },
    );
    succeeded(record);
    assert.match(logOf(record, "long"), /begun[\s\S]*has timed out after 0\.02 minutes/);
    assert.match(logOf(record, "look"), /^gone$/m);
    assert.match(logOf(record, "background"), /^started$/m);
  });

  test("what a killed runner leaves in the engine goes at its next start", async () => {
    const { clock: _c, ids: _i, log: _l, ...config } = { ...options(join(folder, "killed")) };
    await using other = new ControlFake();
    await other.start();
    const file = join(folder, "config.json");
    await writeFile(file, JSON.stringify({ ...config, controlUrl: other.url, concurrency: 1 }), { mode: 0o600 });
    const main = join(import.meta.dirname, "..", "process", "main.ts");
    const start = (): ReturnType<typeof spawn> =>
      spawn(process.execPath, [main, file], { stdio: ["ignore", "ignore", "inherit"] });
    const first = start();
    const record = other.queue(jobWith("held", [{ run: "echo it runs; sleep 300" }], { container: spec() }));
    await other.until(
      record,
      (job) => /^it runs$/m.test([...job.logs.keys()].map((step) => logText(job, step)).join("\n")),
      signal,
    );
    first.kill("SIGKILL");
    await once(first, "exit");
    assert.ok((await left()) > 0, "the engine keeps what the runner made");
    const second = start();
    await other.until(record, ({ abandoned }) => abandoned !== undefined, signal);
    assert.equal(await left(), 0);
    second.kill("SIGTERM");
    await once(second, "exit");
  });

  test("options that the runner cannot give a container are named", async () => {
    const record = await runJob([{ run: "true" }], { container: spec({ options: "--network host" }) });
    assert.equal(record.completed?.conclusion, "failure");
    assert.match(logOf(record, "Initialize containers"), /--network is refused: the job has a network of its own/);
  });

  test("an image that is nowhere fails the job with its name", async () => {
    const record = await runJob([{ run: "true" }], { container: spec({ image: "127.0.0.1:1/no/such:1" }) });
    assert.equal(record.completed?.conclusion, "failure");
    assert.match(logOf(record, "Initialize containers"), /Cannot pull image "127\.0\.0\.1:1\/no\/such:1"/);
  });
});
