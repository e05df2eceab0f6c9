import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { once } from "node:events";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { text } from "node:stream/consumers";
import { Worker } from "node:worker_threads";
import { type ProgramOptions, type RunningProgram, spawnProgram } from "./spawn-program.ts";

const env = { PATH: process.env["PATH"] ?? "/usr/bin:/bin" };
let folder = "";
before(async () => void (folder = await mkdtemp(join(tmpdir(), "spawn-"))));
after(async () => await rm(folder, { recursive: true }));

async function said(program: RunningProgram): Promise<readonly [string, string, number]> {
  return await Promise.all([text(program.stdout), text(program.stderr), program.exited]);
}

async function shell(
  script: string,
  options: Partial<ProgramOptions> = {},
): Promise<readonly [string, string, number]> {
  return await said(await spawnProgram("sh", ["-c", script], { env, ...options }));
}

test("both outputs and the exit code arrive, with the environment and the folder that were given", async () => {
  const script = 'pwd; echo "$WORD" >&2; env | grep -c . ; exit 3';
  const [stdout, stderr, code] = await shell(script, { cwd: folder, env: { ...env, WORD: "ünder = all" } });
  assert.deepEqual([stdout.split("\n")[0], stderr, code], [folder, "ünder = all\n", 3]);
  // PATH, WORD, PWD and what else the shell adds; nothing of this process.
  assert.ok(Number(stdout.split("\n")[1]) <= 5, stdout);
});

test("its outputs can be opened by name", async () => {
  const script = "echo one > /dev/stderr; echo two | tee /dev/stderr; echo three > /proc/self/fd/1";
  assert.deepEqual(await shell(script), ["two\nthree\n", "one\ntwo\n", 0]);
});

test("it reads what it is given, or nothing", async () => {
  assert.deepEqual(await shell("cat"), ["", "", 0]);
  const program = await spawnProgram("cat", [], { env, input: true });
  const megabyte = "x".repeat(1024 * 1024);
  program.stdin?.end(megabyte);
  assert.deepEqual(await said(program), [megabyte, "", 0]);
  const deaf = await spawnProgram("sh", ["-c", "exec <&-; sleep 0.05; echo done"], { env, input: true });
  deaf.stdin?.write(megabyte);
  assert.deepEqual(await said(deaf), ["done\n", "", 0]);
});

test("an end by a signal is told as shells do, and SIGPIPE is as usual", async () => {
  assert.equal((await shell("kill -9 $$"))[2], 137);
  assert.equal((await shell("kill -TERM $$"))[2], 143);
  // With SIGPIPE ignored, yes would complain and end with 1.
  assert.deepEqual(await shell('(yes; echo "$?" >&2) | head -n 1'), ["y\n", "141\n", 0]);
  const ignored = "grep -E 'Sig(Ign|Blk)' /proc/self/status | tr -d '\\t'";
  assert.equal((await shell(ignored))[0], "SigBlk:0000000000000000\nSigIgn:0000000000000000\n");
});

test("it has no file of this process but its three, and what this process was given for its children", async () => {
  const script = "ls /proc/self/fd";
  assert.equal((await shell(script))[0], spawnSync("sh", ["-c", script], { env, encoding: "utf8" }).stdout);
});

test("it leads a session of its own where that is asked for", async () => {
  const script = "ps -o pgid=,sid= -p $$ | tr -s ' ' | sed 's/^ //'; echo $$";
  const lines = (await shell(script, { leads: true }))[0].trim().split("\n");
  assert.equal(lines[0], `${lines[1]} ${lines[1]}`);
  const [own = ""] = (await shell(script))[0].trim().split("\n");
  assert.notEqual(own.split(" ")[1], lines[1]);
});

test("what cannot be started is refused as child_process does", async () => {
  const start = async (file: string, options: Partial<ProgramOptions> = {}): Promise<RunningProgram> =>
    await spawnProgram(file, ["a"], { env, ...options });
  await assert.rejects(start("no-such-program"), { code: "ENOENT", message: "spawn no-such-program ENOENT" });
  await assert.rejects(start("/no/such/program"), { code: "ENOENT" });
  await assert.rejects(start("sh", { cwd: join(folder, "nowhere") }), { code: "ENOENT" });
  await writeFile(join(folder, "plain"), "echo not to be run");
  await assert.rejects(start(join(folder, "plain")), { code: "EACCES" });
  await assert.rejects(start("sh", { env: { A: "b\0c" } }), { code: "ERR_INVALID_ARG_VALUE" });
  await assert.rejects(start("sh", { env: { A: "x".repeat(4 * 1024 * 1024) } }), { code: "E2BIG" });
});

test("a script without an interpreter's name is the shell's", async () => {
  const script = join(folder, "script");
  await writeFile(script, 'echo "$1"');
  await chmod(script, 0o755);
  assert.deepEqual(await said(await spawnProgram("./script", ["word"], { cwd: folder, env })), ["word\n", "", 0]);
});

test("of many at once each tells its own end, and none is left to be waited for", async () => {
  const codes = Array.from({ length: 120 }, (_, index) => index);
  const ends = await Promise.all(codes.map(async (code) => (await shell(`exit ${code}`))[2]));
  assert.deepEqual(ends, codes);
  const children = await shell(`ps -o stat= --ppid ${process.pid} | grep -c Z`);
  assert.equal(children[0], "0\n");
});

test("a channel goes both ways, on file descriptor 3", async () => {
  const program = await spawnProgram("sh", ["-c", "read -r line <&3; echo said: $line >&3"], { env, channel: true });
  program.channel?.write("word\n");
  assert.equal(program.channel === undefined ? "" : await text(program.channel), "said: word\n");
  for (const stream of [program.stdout, program.stderr]) stream.resume();
  assert.equal(await program.closed, 0);
});

test("one that is killed says so, and once it has ended there is nobody to kill", async () => {
  const program = await spawnProgram("sleep", ["60"], { env });
  for (const stream of [program.stdout, program.stderr]) stream.resume();
  program.kill("SIGTERM");
  assert.equal(await program.closed, 143);
  program.kill("SIGKILL");
});

test("what cannot be started leaves no open files", async () => {
  const open = (): number => readdirSync("/proc/self/fd").length;
  await spawnProgram("no-such", [], { env }).catch(() => {});
  const before = open();
  for (let round = 0; round < 20; round++) {
    await assert.rejects(spawnProgram("/no/such", [], { env, input: true, channel: true }), { code: "ENOENT" });
  }
  // Sockets close in a later turn.
  while (open() > before) await new Promise((resolve) => setImmediate(resolve));
});

test("in a thread, which hears no signals, child_process starts it, and the rest is the same", async () => {
  const program = `
    import { parentPort } from "node:worker_threads";
    import { text } from "node:stream/consumers";
import { Worker } from "node:worker_threads";
    import { spawnProgram } from ${JSON.stringify(import.meta.resolve("./spawn-program.ts"))};
    const env = { PATH: process.env.PATH };
    const script = "cat; echo warned >&2; read -r line <&3; echo heard $line >&3; exit 3";
    const one = await spawnProgram("sh", ["-c", script], { env, input: true, channel: true, leads: true });
    one.stdin.end("given");
    one.channel.write("word\\n");
    const said = await Promise.all([text(one.stdout), text(one.stderr), text(one.channel), one.closed]);
    const killed = await spawnProgram("sleep", ["60"], { env });
    killed.stdout.resume();
    killed.stderr.resume();
    killed.kill("SIGKILL");
    const refused = await spawnProgram("no-such", [], { env }).catch((error) => error.message);
    parentPort.postMessage([...said, await killed.closed, killed.exitCode, refused]);
  `;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`));
  const [answer] = (await once(worker, "message")) as [unknown];
  assert.deepEqual(answer, ["given", "warned\n", "heard word\n", 3, 137, 137, "spawn no-such ENOENT"]);
});

test("one that closes its outputs and runs on is waited for", async () => {
  const started = performance.now();
  const program = await spawnProgram("sh", ["-c", "exec >&- 2>&-; sleep 0.2; exit 7"], { env });
  assert.equal(program.exitCode, undefined);
  assert.equal(await program.exited, 7);
  assert.equal(program.exitCode, 7);
  assert.ok(performance.now() - started > 190);
  for (const stream of [program.stdout, program.stderr]) stream.resume();
});
