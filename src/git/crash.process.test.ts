/** A server killed with SIGKILL at every step of a push: each moved ref has exactly one row, each acknowledged push too. */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { openDatabase, silentLog, systemClock, systemIds } from "#lib";
import { openRepositories, zeroId, type RefUpdate } from "./index.ts";
import { deaths, type Death } from "./testing-mortal-server.ts";
import { commitFiles, git, gitOk, startGitServer, temporaryFolder } from "./testing.ts";

interface Mortal extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly url: string;
}

async function startMortal(folder: string, death: Death | "never"): Promise<Mortal> {
  const script = join(import.meta.dirname, "testing-mortal-server.ts");
  const child = spawn(process.execPath, [script, folder, death], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  return {
    child,
    url: `http://x:ada=admin@127.0.0.1:${line.toString().trim()}/acme/shop`,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
  };
}

interface Truth {
  readonly rows: readonly RefUpdate[];
  readonly refs: ReadonlyMap<string, string>;
}

/** Opens what the dead server left, as its successor would. */
async function reopen(folder: string): Promise<Truth> {
  await using stack = new AsyncDisposableStack();
  const database = stack.adopt(openDatabase(join(folder, "tidegate.db")), (db) => db.destroy());
  const repositories = stack.use(
    await openRepositories({
      folder: join(folder, "git"),
      database,
      clock: systemClock,
      ids: systemIds,
      log: silentLog,
    }),
  );
  return { rows: await repositories.updates.after(0, 10_000), refs: await repositories.refs("acme/shop") };
}

/** The law of the ledger: each ref's rows are a chain from nothing to its present value, with no step twice. */
function assertLedgerIsTrue({ rows, refs }: Truth): void {
  const last = new Map<string, string>();
  for (const row of rows) {
    assert.equal(row.before, last.get(row.ref) ?? zeroId, `row ${row.sequence} continues the chain of ${row.ref}`);
    assert.notEqual(row.before, row.after);
    last.set(row.ref, row.after);
  }
  for (const [ref, sha] of last) if (sha === zeroId) last.delete(ref);
  assert.deepEqual(last, refs);
}

async function seed(stack: AsyncDisposableStack): Promise<{ folder: string; work: string }> {
  const folder = await temporaryFolder(stack);
  const work = await temporaryFolder(stack);
  await using server = await startGitServer({ folder });
  await server.repositories.create("acme/shop");
  await gitOk(work, "init", "-q", "-b", "main");
  await commitFiles(work, { "a.txt": "1" });
  await gitOk(work, "push", "-q", server.url("acme/shop"), "main");
  return { folder, work };
}

for (const death of deaths) {
  test(`a server killed ${death} loses and doubles nothing`, async () => {
    await using stack = new AsyncDisposableStack();
    const { folder, work } = await seed(stack);
    const sha = await commitFiles(work, { "a.txt": "2" });
    {
      await using server = await startMortal(folder, death);
      const push = await git(work, "push", "-q", server.url, "main");
      assert.notEqual(push.code, 0, "a push whose server died is not acknowledged");
    }

    const truth = await reopen(folder);
    assertLedgerIsTrue(truth);
    const moved = truth.refs.get("refs/heads/main") === sha;
    if (["before the row", "after the row", "before the answer"].includes(death)) assert.equal(moved, true);
    if (["in the check", "before the intent", "after the intent"].includes(death)) assert.equal(moved, false);
    assert.equal(truth.rows.length, moved ? 2 : 1);
    if (moved) assert.equal(truth.rows[1]?.pusher, "ada");

    await using server = await startMortal(folder, "never");
    await gitOk(work, "push", "-q", server.url, "main");
    await server[Symbol.asyncDispose]();
    const after = await reopen(folder);
    assertLedgerIsTrue(after);
    assert.equal(after.rows.length, 2, "pushing again records what was missing and nothing else");
  });
}

test("a successor waits for a git that still holds its lock, and records what it does", async () => {
  await using stack = new AsyncDisposableStack();
  const { folder, work } = await seed(stack);
  const sha = await commitFiles(work, { "a.txt": "2" });
  {
    await using server = await startMortal(folder, "after the permission");
    const hook = join(folder, "git", "hooks", "reference-transaction");
    assert.match(await readFile(hook, "utf8"), /\[ "\$answer" = ok \]\n$/);
    // The permission is given, the server dead, and git is slow to act on it.
    await appendFile(hook, 'status=$?; [ "$1" = prepared ] && sleep 0.7; exit $status\n');
    await git(work, "push", "-q", server.url, "main");
  }

  const truth = await reopen(folder);

  assertLedgerIsTrue(truth);
  assert.equal(truth.refs.get("refs/heads/main"), sha);
  assert.deepEqual(
    truth.rows.map((row) => row.pusher),
    ["ada", "ada"],
  );
});

test("a lock that a killed git left behind does not stop the next push", async () => {
  await using stack = new AsyncDisposableStack();
  const { folder, work } = await seed(stack);
  const repository = (await (async () => {
    await using server = await startGitServer({ folder });
    return server.repositories.folderOf((await server.repositories.require("acme/shop")).id);
  })()) satisfies string;
  await writeFile(join(repository, "refs", "heads", "main.lock"), "");
  await commitFiles(work, { "a.txt": "2" });

  await using server = await startGitServer({ folder });

  await gitOk(work, "push", "-q", server.url("acme/shop"), "main");
});

test("a ref moved by hand behind the server's back gets a row when the server opens", async () => {
  await using stack = new AsyncDisposableStack();
  const { folder, work } = await seed(stack);
  const first = await gitOk(work, "rev-parse", "HEAD");
  {
    await using server = await startGitServer({ folder });
    const repository = server.repositories.folderOf((await server.repositories.require("acme/shop")).id);
    await gitOk(repository, "update-ref", "refs/heads/by-hand", first);
  }

  const truth = await reopen(folder);

  assertLedgerIsTrue(truth);
  assert.equal(truth.rows[1]?.pusher, "outside");
});

test("a server killed at any time under three pushing clients keeps the record true", { timeout: 60_000 }, async () => {
  await using stack = new AsyncDisposableStack();
  const { folder, work } = await seed(stack);
  const acknowledged: { ref: string; sha: string }[] = [];
  const { promise: first, resolve: onFirst } = Promise.withResolvers<void>();
  for (let round = 0; round < 6; round++) {
    await using server = await startMortal(folder, "never");
    const client = async (name: string): Promise<void> => {
      for (let turn = 0; turn < 20; turn++) {
        const ref = `refs/heads/${name}-${turn % 3}`;
        const sha = await gitOk(work, "commit-tree", "-p", "HEAD", "-m", `${name} ${round} ${turn}`, "HEAD^{tree}");
        const push = await git(work, "push", "-q", "--force", server.url, `${sha}:${ref}`);
        if (push.code !== 0) return;
        acknowledged.push({ ref, sha });
        onFirst();
      }
    };
    const clients = Promise.all(["x", "y", "z"].map((name) => client(name)));
    await systemClock.sleep(80 + round * 47, AbortSignal.timeout(10_000));
    // A busy machine may not have got through one push by then; the last death comes after one at any rate.
    if (round === 5) await Promise.race([first, clients]);
    await server[Symbol.asyncDispose]();
    await clients;

    const truth = await reopen(folder);
    assertLedgerIsTrue(truth);
    for (const { ref, sha } of acknowledged) {
      assert.equal(truth.rows.filter((row) => row.ref === ref && row.after === sha).length, 1);
    }
  }
  assert.ok(acknowledged.length > 0, "some push was acknowledged before a death");
});
