/** What every `PodRuntime` must do for who talks with a container. Called like `podRuntimeCases`. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import type { ContainerSession, PodRuntime } from "./pod-runtime.ts";
import { pod, type RuntimeCase, type RuntimeUnderTest, specOf, written } from "./runtime.cases.ts";

const signal = AbortSignal.timeout(240_000);
const withInput = { stdin: true, tty: false, signal } as const;
const withTerminal = { stdin: true, tty: true, signal } as const;

/** Everything the stream has until it ends. */
export async function textOf(stream: Readable | undefined): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream ?? []) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

/** Reads until `pattern` has been seen; everything so far. */
export async function seen(stream: Readable, pattern: RegExp): Promise<string> {
  let text = "";
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    text += (chunk as Buffer).toString("utf8");
    if (pattern.test(text)) return text;
  }
  return assert.fail(`ended without ${String(pattern)}: ${text}`);
}

async function outcome(session: ContainerSession): Promise<{ code: number; stdout: string; stderr: string }> {
  const [stdout, stderr] = await Promise.all([textOf(session.stdout), textOf(session.stderr)]);
  return { code: await session.exitCode, stdout, stderr };
}

export function podSessionCases(open: () => Promise<RuntimeUnderTest>): readonly RuntimeCase[] {
  const cases: RuntimeCase[] = [];
  function add(
    name: string,
    run: (runtime: PodRuntime, id: string) => Promise<void>,
    script = "echo up; sleep 60",
  ): void {
    cases.push({
      name,
      async run() {
        await using subject = await open();
        const { runtime } = subject;
        await subject.addImage("registry.test/app:1", { Entrypoint: ["sh"], WorkingDir: "/app" }, [
          { name: "app/hello.txt", content: "from the image\n" },
        ]);
        const { id } = await runtime.startContainer(await specOf(runtime, script, { env: { WHO: "me" } }), signal);
        await written(runtime, id, "up");
        await run(runtime, id);
      },
    });
  }

  add("a command has its own streams, the container's environment and an exit code", async (runtime, id) => {
    const command = ["sh", "-c", 'cat hello.txt; echo "$WHO" >&2; tr a-z A-Z; exit 3'];
    await using session = await runtime.openExec(id, command, withInput);
    session.stdin?.end("typed\n");
    assert.deepEqual(await outcome(session), { code: 3, stdout: "from the image\nTYPED\n", stderr: "me\n" });
  });

  add("its streams are pipes, which it can open again by name", async (runtime, id) => {
    const command = ["sh", "-c", "cat /dev/stdin; echo oops > /dev/stderr"];
    await using session = await runtime.openExec(id, command, withInput);
    session.stdin?.end("typed\n");
    assert.deepEqual(await outcome(session), { code: 0, stdout: "typed\n", stderr: "oops\n" });
  });

  add("a command whose reader is slow waits for it, and nothing is lost", async (runtime, id) => {
    await using session = await runtime.openExec(id, ["sh", "-c", "head -c 3000000 /dev/zero; echo end"], {
      stdin: false,
      tty: false,
      signal,
    });
    const code = session.exitCode.then(() => "ended");
    await seen(session.stdout, /^\0/);
    const sooner = await Promise.race([code, new Promise((resolve) => setTimeout(resolve, 300, "waits"))]);
    assert.equal(sooner, "waits");
    assert.match(await textOf(session.stdout), /\0end\n$/);
    assert.equal(await session.exitCode, 0);
  });

  add("a session that is let go takes its command along, and what that started", async (runtime, id) => {
    const session = await runtime.openExec(id, ["sh", "-c", "setsid sleep 61 & sleep 61 & echo $!; wait"], withInput);
    await seen(session.stdout, /\n/);
    await session[Symbol.asyncDispose]();
    assert.equal(await session.exitCode, 129);
    await using after = await runtime.openExec(
      id,
      ["sh", "-c", "ps -eo args | grep -c '^sleep 61' || true"],
      withInput,
    );
    assert.equal((await outcome(after)).stdout, "0\n");
  });

  add("a command that left something behind ends all the same, with its output", async (runtime, id) => {
    await using session = await runtime.openExec(id, ["sh", "-c", "sleep 62 & echo done"], withInput);
    assert.deepEqual(await outcome(session), { code: 0, stdout: "done\n", stderr: "" });
  });

  add("a terminal is one: it echoes, knows its size, and turns ^C into a signal", async (runtime, id) => {
    const script =
      "trap 'stty size; exit 5' INT; [ -t 0 ] && echo both ways >&0 && echo tty; while :; do sleep 0.05; done";
    await using session = await runtime.openExec(id, ["sh", "-c", script], withTerminal);
    assert.match(await seen(session.stdout, /tty\r\n/), /^both ways\r\n/);
    assert.equal(session.stderr, undefined);
    await session.resize({ columns: 133, rows: 41 });
    session.stdin?.write("\x03");
    assert.match(await textOf(session.stdout), /\^C41 133\r\n$/);
    assert.equal(await session.exitCode, 5);
  });

  add("much typed at a terminal is taken at the pace of its program", async (runtime, id) => {
    const script = "stty raw -echo; echo ready; head -c 300000 | md5sum";
    await using session = await runtime.openExec(id, ["sh", "-c", script], withTerminal);
    await seen(session.stdout, /ready/);
    const typed = "0123456789".repeat(30_000);
    session.stdin?.write(typed);
    const digest = createHash("md5").update(typed).digest("hex");
    assert.ok((await textOf(session.stdout)).includes(digest));
  });

  add("a program that is nowhere is refused, and so is a container that does not run", async (runtime, id) => {
    await assert.rejects(
      runtime.openExec(id, ["no-such-program"], withInput),
      /"no-such-program": executable file not/,
    );
    await runtime.stopContainer(id, { graceMs: 0, signal });
    await assert.rejects(runtime.openExec(id, ["true"], withInput), /does not run/);
    await assert.rejects(runtime.attach(id, withInput), /does not run/);
  });

  add(
    "who attaches sees what is written from now on, until the container ends",
    async (runtime, id) => {
      await using session = await runtime.attach(id, { stdin: false, tty: false, signal });
      await using touch = await runtime.openExec(id, ["touch", "go"], withInput);
      await touch.exitCode;
      assert.equal(await textOf(session.stdout), "later\n");
      assert.equal(await session.exitCode, 4);
    },
    "echo up; while [ ! -e go ]; do sleep 0.02; done; echo later; exit 4",
  );

  add("a port that no container declares is refused with those that are", async (runtime) => {
    await assert.rejects(runtime.connect(pod.uid, 9, signal), /containerPort 9: declared are 8080/);
    await assert.rejects(runtime.connect(pod.uid, 8080, signal), /connection refused/);
  });

  for (const [name, tty] of [
    ["an input that is open once ends with who attached first", false],
    ["a container on a terminal is typed at and heard, and its last words come through", true],
  ] as const) {
    cases.push({
      name,
      async run() {
        await using subject = await open();
        const { runtime } = subject;
        await subject.addImage("registry.test/app:1", { Entrypoint: ["sh"] }, []);
        const script = tty
          ? "trap 'echo bye; exit 6' TERM; [ -t 0 ] && echo up; read line; echo \"got $line\"; while :; do sleep 0.05; done"
          : "echo up; tr a-z A-Z; exit 6";
        const spec = await specOf(runtime, script, { stdin: "once", ...(tty ? { tty } : {}) });
        const { id } = await runtime.startContainer(spec, signal);
        await written(runtime, id, "up");
        await using session = await runtime.attach(id, { stdin: true, tty, signal });
        if (tty) {
          session.stdin?.write("typed\n");
          await seen(session.stdout, /got typed\r\n/);
          await runtime.stopContainer(id, { graceMs: 20_000, signal });
          assert.match(await textOf(session.stdout), /bye\r\n$/);
        } else {
          session.stdin?.end("typed\n");
          assert.equal(await textOf(session.stdout), "TYPED\n");
        }
        assert.equal(await session.exitCode, 6);
      },
    });
  }
  return cases;
}
