/** Story: somebody goes into pods with the kubectl on the machine: commands, terminals, files, ports and logs. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { skipWithout } from "../support/needs.ts";
import { type Finished, follow, run } from "../support/run-command.ts";
import { pushImage } from "../support/sample-image.ts";
import { startTidegate, type Tidegate } from "../support/start-tidegate.ts";

const skip =
  skipWithout("skopeo") ||
  skipWithout("kubectl", ["version", "--client"]) ||
  skipWithout("script") ||
  skipWithout("tar");

/** Answers with 20 MB whose digest a test knows. */
const download = Buffer.alloc(20_000_000, "tidegate ");
const server = `
const body = Buffer.alloc(20_000_000, "tidegate ");
require("http").createServer((q, s) => s.end(q.url === "/big" ? body : "hello " + q.url)).listen(process.env.PORT)
  .on("listening", () => console.log("listening"));`;

function toolPod(image: string): string {
  const container = (name: string, script: string, more = {}): unknown => ({
    name,
    image,
    command: ["sh", "-c", script],
    ...more,
  });
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "tool", labels: { app: "tool" } },
    spec: {
      terminationGracePeriodSeconds: 1,
      initContainers: [container("prepare", "echo prepared")],
      containers: [
        { name: "web", image, command: ["node", "-e", server], ports: [{ containerPort: 8080 }] },
        container("side", "for i in 1 2 3 4 5; do echo side $i; done; echo oops >&2; exec sleep 3600"),
        container("crasher", "echo try; sleep 1; exit 5"),
        container("reader", "while read -r line; do echo read $line; done", { stdin: true }),
      ],
    },
  });
}

/** The two ways a client of today has: WebSockets, and what it falls back to. */
const ways = [
  { way: "WebSockets", variables: {} },
  {
    way: "SPDY",
    variables: { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: "false", KUBECTL_PORT_FORWARD_WEBSOCKETS: "false" },
  },
] as const;

describe("Given a pod with four containers", { skip }, () => {
  let tidegate: Tidegate;
  let image: string;

  before(async () => {
    tidegate = await startTidegate({ jobs: 0 });
    image = await pushImage(tidegate, "acme/web", "v1");
    await kubectl(["apply", "-f", "-"], { input: toolPod(image) });
    await until(() => kubectl(["exec", "tool", "-c", "web", "--", "true"]));
  });
  after(() => tidegate[Symbol.asyncDispose]());

  type Options = { readonly code?: number; readonly input?: string; readonly variables?: Record<string, string> };
  const kubectl = (args: readonly string[], { variables = {}, ...options }: Options = {}): Promise<Finished> =>
    run("kubectl", args, { env: { ...tidegate.env, ...variables }, ...options });
  const inTool = (command: readonly string[], options: Options = {}): Promise<Finished> =>
    kubectl(["exec", ...(options.input === undefined ? [] : ["-i"]), "tool", "-c", "web", "--", ...command], options);

  for (const { way, variables } of ways) {
    test(`when commands run by ${way}, then streams, exit codes and refusals are theirs`, async () => {
      const both = await inTool(["sh", "-c", "echo out; echo err >&2; exit 3"], { code: 3, variables });
      assert.equal(both.stdout, "out\n");
      assert.match(both.stderr, /^err\ncommand terminated with exit code 3\n/);
      const input = `${"0123456789abcde\n".repeat(200_000)}end`;
      const digest = await inTool(["sha256sum"], { input, variables });
      assert.equal(digest.stdout.split(" ")[0], createHash("sha256").update(input).digest("hex"));
      // Three megabytes back, and a command that does not read its input.
      const much = await inTool(["sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x"], { input: "x", variables });
      assert.equal(much.stdout.length, 3_000_000);
      const unknown = await inTool(["no-such-program"], { code: 1, variables });
      assert.match(
        unknown.stderr,
        /error executing command in container: exec: "no-such-program": executable file not found/,
      );
      const nowhere = await kubectl(["exec", "tool", "-c", "nobody", "--", "true"], { code: 1, variables });
      assert.match(nowhere.stderr, /container nobody is not valid for pod tool/);
    });

    test(`when a terminal is asked for by ${way}, then it is one`, async () => {
      const inside = "tty; read -r x; echo got $x; sleep 0.5; stty size; exit 7";
      const typed = `stty rows 33 cols 101; kubectl exec -it tool -c web -- sh -c '${inside}'`;
      const env = { ...tidegate.env, ...variables };
      const { stdout } = await run("script", ["-qec", typed, "/dev/null"], { env, input: "words\n", code: 7 });
      assert.match(stdout, /\/dev\/pts\/\d+\r\n/);
      assert.match(stdout, /got words\r\n33 101\r\n/);
    });

    test(`when ports are forwarded by ${way}, then many requests at once and 20 MB come through`, async () => {
      await using forward = follow("kubectl", ["port-forward", "pod/tool", ":8080", ":8080"], {
        env: { ...tidegate.env, ...variables },
      });
      const portOf = async (pattern: RegExp): Promise<string> =>
        /:(\d+) ->/.exec(await forward.line(pattern))?.[1] ?? "";
      const firstPort = await portOf(/127\.0\.0\.1:\d+ ->/);
      const secondPort = await portOf(new RegExp(`127\\.0\\.0\\.1:(?!${firstPort} )\\d+ ->`));
      const [first, second] = [`http://127.0.0.1:${firstPort}`, `http://127.0.0.1:${secondPort}`];
      const small = Array.from({ length: 30 }, async (_, index) => {
        const answer = await fetch(`${index % 2 === 0 ? first : second}/${index}`);
        assert.equal(await answer.text(), `hello /${index}`);
      });
      const big = [first, second].map(async (url) => {
        const body = Buffer.from(await (await fetch(`${url}/big`)).arrayBuffer());
        assert.ok(body.equals(download));
      });
      await Promise.all([...small, ...big]);
    });
  }

  test("when kubectl is killed, then its command is gone too, with what that started", async () => {
    await using session = follow(
      "kubectl",
      ["exec", "tool", "-c", "web", "--", "sh", "-c", "sleep 600 & echo pids $$ $!; wait"],
      { env: tidegate.env },
    );
    const pids = (await session.line(/^pids/)).split(" ").slice(1);
    await session[Symbol.asyncDispose]();
    for (const pid of pids) await gone(pid);
  });

  test("when folders are copied in and out, then odd names and 50 MB arrive as they were", async () => {
    const here = join(tidegate.scratch, "a folder");
    await mkdir(join(here, "ünï"), { recursive: true });
    await writeFile(join(here, 'it\'s "odd" $HOME *.txt'), "odd\n");
    await writeFile(join(here, "ünï", "-dash"), "");
    await symlink("nowhere", join(here, "link"));
    const big = Buffer.alloc(50_000_000);
    for (let at = 0; at < big.length; at += 4) big.writeUInt32LE((at * 2_654_435_761) >>> 0, at);
    await writeFile(join(here, "big"), big);

    await kubectl(["cp", here, "tool:/app/in", "-c", "web"]);
    const inside = await inTool(["sh", "-c", "cd in && find . | LC_ALL=C sort"]);
    assert.equal(inside.stdout, '.\n./big\n./it\'s "odd" $HOME *.txt\n./link\n./ünï\n./ünï/-dash\n');
    const back = join(tidegate.scratch, "back");
    const { stderr } = await kubectl(["cp", "tool:/app/in", back, "-c", "web"]);
    assert.match(stderr, /skipping symlink/);
    await run("diff", ["-r", "--exclude=link", here, back], { env: tidegate.env });
    const digest = createHash("sha256").update(big).digest("hex");
    assert.equal((await inTool(["sha256sum", "/app/in/big"])).stdout.split(" ")[0], digest);
    const again = join(tidegate.scratch, "again");
    await kubectl(["cp", "tool:in/big", again, "-c", "web", "--retries=3"], { variables: ways[1].variables });
    const hash = createHash("sha256");
    for await (const chunk of createReadStream(again)) hash.update(chunk as Buffer);
    assert.equal(hash.digest("hex"), digest);
    // kubectl is gone before it has told what tar said of a path that is not there: so it is asked itself.
    const missing = await inTool(["tar", "cf", "-", "/app/none"], { code: 2 });
    assert.match(missing.stderr, /\/app\/none: Cannot stat: No such file or directory/);
  });

  test("when somebody attaches, then the container's input is typed and its output seen", async () => {
    const child = spawn("kubectl", ["attach", "-i", "tool", "-c", "reader"], {
      env: tidegate.env,
      stdio: ["pipe", "pipe", "inherit"],
    });
    child.stdin.write("first\n");
    for await (const chunk of child.stdout) if (String(chunk).includes("read first")) break;
    child.kill("SIGKILL");
    await once(child, "close");
    // Its input stays open for the next one.
    const { stdout } = await kubectl(["logs", "tool", "-c", "reader"]);
    assert.equal(stdout, "read first\n");
  });

  test("when a pod is run for one command, then its input, output and exit code are the command's", async () => {
    const upper = ["run", "upper", "-i", "--rm", "--restart=Never", "--quiet", `--image=${image}`];
    const { stdout } = await kubectl([...upper, "--command", "--", "tr", "a-z", "A-Z"], { input: "words\n" });
    assert.equal(stdout, "WORDS\n");
    const typed = `kubectl run term -it --rm --restart=Never --image=${image} --command -- sh -c 'sleep 1; tty; read x; echo got $x; exit 4'`;
    const term = await run("script", ["-qec", typed, "/dev/null"], { env: tidegate.env, input: "words\n", code: 4 });
    assert.match(term.stdout, /\/dev\/pts\/\d+\r\n/);
    assert.match(term.stdout, /got words\r\n/);
  });

  test("when logs are asked for, then each option means what it means upstream", async () => {
    const logs = async (...args: string[]): Promise<string> => (await kubectl(["logs", "tool", ...args])).stdout;
    assert.equal(await logs("-c", "prepare"), "prepared\n");
    assert.equal(await logs("-c", "side"), "side 1\nside 2\nside 3\nside 4\nside 5\noops\n");
    assert.equal(await logs("-c", "side", "--tail=2"), "side 5\noops\n");
    assert.equal(await logs("-c", "side", "--tail=0"), "");
    assert.equal(await logs("-c", "side", "--limit-bytes=10"), "side 1\nsid");
    assert.match(await logs("-c", "side", "--tail=1", "--timestamps"), /^\d{4}-\d\d-\d\dT[\d:.]+Z oops\n$/);
    assert.equal(await logs("-c", "side", "--since-time=2100-01-01T00:00:00Z"), "");
    assert.equal(await logs("-c", "side", "--since=1h", "--tail=1"), "oops\n");
    const all = await logs("--all-containers", "--prefix");
    assert.match(all, /^\[pod\/tool\/prepare\] prepared$/m);
    assert.match(all, /^\[pod\/tool\/side\] side 3$/m);
    await until(async () => assert.match(await logs("-c", "crasher", "--previous"), /^try\n$/));
    const refused = async (...args: string[]): Promise<string> =>
      (await kubectl(["logs", "tool", ...args], { code: 1 })).stderr;
    assert.match(await refused("-c", "none"), /container none is not valid for pod tool/);
    assert.match(await refused("-c", "side", "-p"), /previous terminated container "side" in pod "tool" not found/);
    assert.match(await refused("-c", "side", "--since=1s", "--since-time=2026-01-01T00:00:00Z"), /at most one of/);
  });

  test("when control is killed, then followed logs are not lost, commands end with it, and new ones run", async () => {
    const sleeping = follow("kubectl", ["exec", "tool", "-c", "web", "--", "sh", "-c", "echo pid $$; exec sleep 601"], {
      env: tidegate.env,
    });
    const [, pid = ""] = (await sleeping.line(/^pid/)).split(" ");
    process.kill(await tidegate.controlPid(), "SIGKILL");
    await sleeping.ended();
    await gone(pid);
    await until(() => kubectl(["get", "pod", "tool"]));
    assert.match((await kubectl(["logs", "tool", "-c", "side"])).stdout, /^side 1\n[\s\S]*oops\n$/);
    assert.equal((await inTool(["sh", "-c", "echo again"])).stdout, "again\n");
    // A follower ends with its container.
    await using log = follow("kubectl", ["logs", "-f", "tool", "-c", "side"], { env: tidegate.env });
    await log.line(/oops/);
    await kubectl(["delete", "pod", "tool", "--wait=false"]);
    assert.equal(await log.ended(), 0);
  });
});

/** Ended, or ended and not yet collected by its parent. */
async function gone(pid: string): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    if (stat === "" || /\) [ZX] /.test(stat)) return;
    await delay(50);
  }
  assert.fail(`process ${pid} still runs`);
}

async function until(look: () => Promise<unknown>): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await look();
      return;
    } catch (error) {
      if (tries > 100) throw error;
      await delay(200);
    }
  }
}
