/** How checkout reaches what it may, and that it goes no further: keys, other servers, and the code of strangers. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { commandOutput } from "#lib";
import type { ContextObject } from "#workflows";
import { createRunner } from "../../index.ts";
import { ControlFake, jobWith, logOf, type JobRecord, type StepText, runnerOptions } from "../../testing.ts";

const signal = AbortSignal.timeout(90_000);
const key = "-----BEGIN KEY-----\nc2VjcmV0LW9mLXRoZS1kZXBsb3kta2V5\n-----END KEY-----";
/** Of each request for git to another server, what authorised it. */
const asked: (string | undefined)[] = [];
const other = createServer((request, response) => {
  asked.push(request.headers.authorization);
  response.writeHead(404).end();
});
const stop = new AbortController();
let folder = "";
let control: ControlFake;
let running: Promise<void>;

async function git(...args: string[]): Promise<string> {
  const env = { PATH: process.env["PATH"] ?? "", HOME: folder, GIT_CONFIG_NOSYSTEM: "1" };
  return (await commandOutput("git", args, { env, signal })).toString().trim();
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "checkout-"));
  const work = join(folder, "seed");
  const bare = join(folder, "repos", "acme", "part.git");
  await git("init", "-q", "--bare", "-b", "trunk", bare);
  await git("init", "-q", "-b", "trunk", work);
  await writeFile(join(work, "part.txt"), "part\n");
  await git("-C", work, "add", ".");
  await git("-C", work, "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "commit", "-q", "-m", "one");
  await git("-C", work, "push", "-q", bare, "trunk");
  await sshStandIn();
  await new Promise<void>((done) => other.listen(0, "127.0.0.1", done));
  control = new ControlFake();
  await control.start();
  const runner = createRunner(
    runnerOptions(control, {
      workFolder: join(folder, "work"),
      baseEnv: { PATH: `${join(folder, "bin")}:${process.env["PATH"] ?? ""}`, HOME: folder },
    }),
  );
  running = runner.run(stop.signal);
});
after(async () => {
  stop.abort();
  await running;
  await control[Symbol.asyncDispose]();
  other.closeAllConnections();
  other.close();
  await rm(folder, { recursive: true, force: true });
});

/** Notes what it was called with, and runs what it is asked to here. */
async function sshStandIn(): Promise<void> {
  await mkdir(join(folder, "bin"));
  await mkdir(join(folder, ".ssh"));
  await writeFile(join(folder, ".ssh", "known_hosts"), "own.example.com ssh-ed25519 AAAA\n");
  const script = [
    "#!/bin/bash",
    `printf '%s\\n' "$@" > "${folder}/ssh-args"`,
    `key="$2"; cp "$key" "${folder}/ssh-key"; stat -c %a "$key" > "${folder}/ssh-mode"; cp "$key"_known_hosts "${folder}/ssh-hosts"`,
    `cd "${folder}/repos" && eval "\${@: -1}"`,
  ];
  await writeFile(join(folder, "bin", "ssh"), `${script.join("\n")}\n`, { mode: 0o755 });
}

let count = 0;
async function runJob(steps: readonly StepText[], github: ContextObject = {}): Promise<JobRecord> {
  const base = jobWith(`job-${++count}`, steps);
  const services = { ...base.services, serverUrl: "http://tidegate.invalid:3000" };
  const contexts = { ...base.contexts, github: { ...base.contexts.github, ...github } };
  const record = control.queue({ ...base, services, contexts });
  await control.until(record, ({ completed }) => completed !== undefined, signal);
  return record;
}

const withKey = { repository: "acme/part", "ssh-key": key };

test("checkout with a key fetches over SSH, lets later commands do so, and leaves nothing of it behind", async () => {
  const known = "git.example.com ssh-ed25519 BBBB";
  const record = await runJob([
    { name: "co", uses: "actions/checkout@v4", with: { ...withKey, "ssh-known-hosts": known, "ssh-user": "deploy" } },
    {
      name: "look",
      run: `cat part.txt; git remote get-url origin; git branch --show-current; git config core.sshCommand; rm ${folder}/ssh-args; git ls-remote -q origin trunk; ls ${folder}/ssh-args; ls "$RUNNER_TEMP" | wc -l`,
    },
  ]);
  equal(record.completed?.conclusion, "success", logOf(record, "co") + logOf(record, "look"));
  match(logOf(record, "look"), /\npart\ndeploy@tidegate\.invalid:acme\/part\.git\ntrunk\n"/);
  match(logOf(record, "look"), /-i "\$RUNNER_TEMP\/\S+" -o StrictHostKeyChecking=yes -o CheckHostIP=no -o "UserKnown/);
  equal(await readFile(join(folder, "ssh-key"), "utf8"), `${key}\n`);
  equal(await readFile(join(folder, "ssh-mode"), "utf8"), "600\n");
  match(
    await readFile(join(folder, "ssh-hosts"), "utf8"),
    /^own\.example\.com \S+ AAAA\ngit\.example\.com \S+ BBBB\ngithub\.com ssh-rsa AAAA/,
  );
  const logs = [...record.logs.values()].flat().map(({ text }) => text);
  deepEqual(
    logs.filter((line) => line.includes("c2VjcmV0LW9m")),
    [],
    "the key is in no log",
  );
});

test("the key is gone before the next step when credentials are not to persist, and after the job in any case", async () => {
  const look = 'set +e; (git config core.sshCommand; ls -R "$RUNNER_TEMP" | grep -E "known_hosts|credentials") | wc -l';
  const kept = await runJob([
    { uses: "actions/checkout@v4", with: { ...withKey, "ssh-strict": "false" } },
    { name: "args", run: `git config core.sshCommand; echo KEPT $(${look})` },
  ]);
  match(logOf(kept, "args"), /\nKEPT 3$/);
  ok(!logOf(kept, "args").includes("Strict"));
  match(logOf(kept, "Post Run actions/checkout@v4"), /credentials were removed/);
  const gone = await runJob([
    { uses: "actions/checkout@v4", with: { ...withKey, "persist-credentials": "false" } },
    { name: "look", run: look },
  ]);
  equal(gone.completed?.conclusion, "success", logOf(gone, "look"));
  match(logOf(gone, "look"), /\n0$/);
});

test("another server is never given the job's own token, but is given the one that is meant for it", async () => {
  const server = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  const there = { repository: "acme/part", "github-server-url": server };
  await runJob([{ uses: "actions/checkout@v4", with: there }]);
  deepEqual([...new Set(asked)], [undefined]);
  asked.length = 0;
  const record = await runJob([{ name: "co", uses: "actions/checkout@v4", with: { ...there, token: "for-them" } }]);
  const basic = Buffer.from("x-access-token:for-them").toString("base64");
  ok(asked.includes(`basic ${basic}`), JSON.stringify(asked));
  equal(record.completed?.conclusion, "failure");
  ok(!logOf(record, "co").includes(basic));
  const wrong = await runJob([{ name: "co", uses: "actions/checkout@v4", with: { "github-server-url": "there" } }]);
  match(logOf(wrong, "co"), /Input "github-server-url" must be the address of a server: it is "there"/);
});

test("the code of a fork's pull request is not checked out where the secrets are, unless that is asked for", async () => {
  const event = {
    repository: { id: 1, full_name: "acme/shop" },
    pull_request: { head: { sha: "a".repeat(40), repo: { id: 2, full_name: "eve/shop" } } },
  };
  const github = { event_name: "pull_request_target", event };
  const ref = "${{ github.event.pull_request.head.sha }}";
  const refused = await runJob([{ name: "co", uses: "actions/checkout@v4", with: { ref } }], github);
  match(
    logOf(refused, "co"),
    /Refusing to check out the code of a fork's pull request in a workflow of pull_request_target/,
  );
  const allowed = { ref, "allow-unsafe-pr-checkout": "true", ...withKey };
  const asked = await runJob([{ name: "co", uses: "actions/checkout@v4", with: allowed }], github);
  ok(!logOf(asked, "co").includes("Refusing"), logOf(asked, "co"));
});
