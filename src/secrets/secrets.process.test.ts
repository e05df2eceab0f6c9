import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type Database, openDatabase, silentLog, systemClock } from "#lib";
import { keyFile, openSecrets, type Scope, type SecretsRoom } from "./index.ts";
import { parseKeyRing } from "./key-ring.ts";
import { deaths, type Death } from "./testing-mortal-rotation.ts";

const owner: Scope = { kind: "owner", owner: "acme" };
const shop: Scope = { kind: "repository", repository: "acme/shop" };
const production: Scope = { kind: "environment", repository: "acme/shop", environment: "production" };
const reader = { repository: "acme/shop", environment: "production" };

interface Place extends AsyncDisposable {
  readonly folder: string;
  readonly keyPath: string;
}

async function place(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), "secrets-"));
  return {
    folder,
    keyPath: join(folder, "keys", "secrets"),
    [Symbol.asyncDispose]: async () => await rm(folder, { recursive: true, force: true }),
  };
}

interface Opened extends SecretsRoom, AsyncDisposable {
  readonly database: Database;
}

async function open(where: Place): Promise<Opened> {
  const database = openDatabase(join(where.folder, "tidegate.db"));
  const options = { database, keys: keyFile(where.keyPath), clock: systemClock, log: silentLog };
  return { ...(await openSecrets(options)), database, [Symbol.asyncDispose]: () => database.destroy() };
}

async function count(kind: SecretsRoom["secrets"] | SecretsRoom["variables"], scope: Scope): Promise<number> {
  return (await kind.list(scope)).length;
}

async function filesWith(folder: string, text: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && (await readFile(path)).includes(text)) found.push(path);
  }
  return found;
}

test("a job sees each name from the scope that wins: environment over repository over owner", async () => {
  await using where = await place();
  await using room = await open(where);
  for (const kind of [room.secrets, room.variables]) {
    await kind.set(owner, "A", "owner");
    await kind.set(owner, "B", "owner");
    await kind.set(owner, "C", "owner");
    await kind.set(shop, "b", "repository");
    await kind.set(shop, "C", "repository");
    await kind.set(production, "C", "environment");
    assert.deepEqual(await kind.valuesFor(reader), { A: "owner", B: "repository", C: "environment" });
    const anywhere = { A: "owner", B: "repository", C: "repository" };
    assert.deepEqual(await kind.valuesFor({ repository: "ACME/Shop" }), anywhere);
    assert.deepEqual(await kind.valuesFor({ repository: "acme/other" }), { A: "owner", B: "owner", C: "owner" });
    assert.deepEqual(await kind.valuesFor({ repository: "other/shop" }), {});
    await kind.delete(production, "c");
    await assert.rejects(kind.delete(production, "C"), /acme\/shop, environment production has none of this name/);
    assert.deepEqual(await kind.valuesFor(reader), anywhere);
  }
});

test("a value lies nowhere in the clear, and its list has names and times only", async () => {
  await using where = await place();
  await using room = await open(where);
  const value = "correct horse battery staple";
  await room.secrets.set(shop, "token", "an earlier value");
  const { updatedAt } = await room.secrets.set(shop, "token", value);
  assert.deepEqual(await room.secrets.list(shop), [{ name: "TOKEN", updatedAt }]);
  assert.deepEqual(await filesWith(where.folder, value), []);
  assert.deepEqual(await filesWith(where.folder, "an earlier value"), []);
  assert.equal((await stat(where.keyPath)).mode & 0o777, 0o600);
  await chmod(where.keyPath, 0o644);
  assert.deepEqual(await room.secrets.valuesFor(reader), { TOKEN: value });
  assert.equal((await stat(where.keyPath)).mode & 0o777, 0o600, "a key file others may read is closed again");
});

test("a scope holds a hundred, which can still be replaced", async () => {
  await using where = await place();
  await using room = await open(where);
  for (const kind of [room.secrets, room.variables]) {
    for (let index = 0; index < 100; index++) await kind.set(shop, `S${index}`, "x");
    await assert.rejects(kind.set(shop, "one_more", "x"), /has 100 already, and at most 100/);
    await kind.set(shop, "s99", "y");
    await kind.set(production, "elsewhere", "x");
    assert.equal(await count(kind, shop), 100);
  }
  const large = "x".repeat(48 * 1024);
  for (const name of ["A", "B", "C", "D", "E"]) await room.variables.set(owner, name, large);
  await assert.rejects(room.variables.set(owner, "F", large), /294918 characters together, and at most 262144/);
});

test("a deleted repository leaves nothing to one that takes its name, and its neighbours everything", async () => {
  await using where = await place();
  await using room = await open(where);
  const neighbours: Scope[] = ["acme/shop-2", "acme/shop.x", "acme/sho", "acme/shop2"].map((repository) => {
    return { kind: "repository", repository };
  });
  const gone: readonly Scope[] = [shop, production];
  const kept: readonly Scope[] = [owner, ...neighbours];
  for (const kind of [room.secrets, room.variables]) {
    for (const scope of [...gone, ...kept]) await kind.set(scope, "A", "x");
  }
  await room.forget("Acme/Shop");
  for (const kind of [room.secrets, room.variables]) {
    for (const scope of gone) assert.equal(await count(kind, scope), 0);
    for (const scope of kept) assert.equal(await count(kind, scope), 1);
  }
});

test("without its key file nothing is read and no new key is made, until the file is back", async () => {
  await using where = await place();
  await using room = await open(where);
  await room.secrets.set(shop, "A", "x");
  await rename(where.keyPath, `${where.keyPath}.away`);
  const gone = { code: "secrets/key-missing", message: /the key file is gone/ };
  await assert.rejects(room.secrets.valuesFor(reader), gone);
  await assert.rejects(room.secrets.set(shop, "B", "x"), gone);
  await assert.rejects(room.secrets.rotate(), gone);
  assert.equal((await room.secrets.list(shop)).length, 1);
  await writeFile(where.keyPath, `${Buffer.alloc(32, 1).toString("base64url")}\n`);
  await assert.rejects(room.secrets.valuesFor(reader), { code: "secrets/key-missing", message: /holds other keys/ });
  await writeFile(where.keyPath, "garbage");
  await assert.rejects(room.secrets.valuesFor(reader), { code: "secrets/key-damaged" });
  await rename(`${where.keyPath}.away`, where.keyPath);
  assert.deepEqual(await room.secrets.valuesFor(reader), { A: "x" });
});

test("a rotation while jobs read gives each of them the values", async () => {
  await using where = await place();
  await using room = await open(where);
  await room.secrets.set(shop, "A", "x");
  const former = await readFile(where.keyPath, "utf8");
  const reads = Array.from({ length: 5 }, async () => await room.secrets.valuesFor(reader));
  const rotations = [room.secrets.rotate(), room.secrets.rotate()];
  const later = Array.from({ length: 5 }, async () => await room.secrets.valuesFor(reader));
  assert.deepEqual(await Promise.all(rotations), [1, 1]);
  for (const read of [...reads, ...later]) assert.deepEqual(await read, { A: "x" });
  const now = await readFile(where.keyPath, "utf8");
  assert.equal(now.trim().split("\n").length, 1);
  assert.notEqual(now, former);
});

test("a secret that was tampered with stops a rotation, which goes on when it is set again", async () => {
  await using where = await place();
  await using room = await open(where);
  for (const name of ["A", "B"]) await room.secrets.set(shop, name, name);
  await breakWrapping(room.database);
  const tampered = { code: "secrets/tampered", message: /secret "B" of acme\/shop/ };
  await assert.rejects(room.secrets.rotate(), tampered);
  await assert.rejects(room.secrets.rotate(), tampered);
  assert.equal((await readFile(where.keyPath, "utf8")).trim().split("\n").length, 2, "tries pile up no keys");
  await room.secrets.set(shop, "B", "again");
  assert.equal(await room.secrets.rotate(), 2);
  assert.deepEqual(await room.secrets.valuesFor(reader), { A: "A", B: "again" });
});

async function breakWrapping(database: Database): Promise<void> {
  const db = database.withTables<{ secrets_secrets: { name: string; wrapped_key: Uint8Array } }>();
  const { wrapped_key } = await db
    .selectFrom("secrets_secrets")
    .select("wrapped_key")
    .where("name", "=", "B")
    .executeTakeFirstOrThrow();
  const bytes = Uint8Array.from(wrapped_key, (byte, index) => (index === 20 ? byte ^ 1 : byte));
  await db.updateTable("secrets_secrets").set({ wrapped_key: bytes }).where("name", "=", "B").execute();
}

async function rotateAndDie(where: Place, death: Death): Promise<void> {
  const script = join(import.meta.dirname, "testing-mortal-rotation.ts");
  const child = spawn(process.execPath, [script, where.folder, death], { stdio: ["ignore", "ignore", "inherit"] });
  await once(child, "exit");
  assert.equal(child.signalCode, "SIGKILL");
}

for (const death of deaths) {
  test(`a rotation killed ${death} loses no secret and is over after the next start`, async () => {
    await using where = await place();
    const values = { A: "a", B: "b", C: "c" };
    {
      await using room = await open(where);
      for (const [name, value] of Object.entries(values)) await room.secrets.set(shop, name, value);
    }
    const former = await readFile(where.keyPath, "utf8");
    await rotateAndDie(where, death);

    await using room = await open(where);

    assert.deepEqual(await room.secrets.valuesFor(reader), values);
    const ring = await readFile(where.keyPath, "utf8");
    const [key, ...more] = parseKeyRing(ring, "keys");
    assert.deepEqual(more, [], "one key is left");
    assert.equal(ring === former, death === "before the new key is kept");
    const db = room.database.withTables<{ secrets_secrets: { key_id: string } }>();
    const rows = await db.selectFrom("secrets_secrets").select("key_id").execute();
    assert.deepEqual(new Set(rows.map((row) => row.key_id)), new Set([key.id]));
    assert.equal(await room.secrets.rotate(), 3);
    assert.deepEqual(await room.secrets.valuesFor(reader), values);
  });
}
