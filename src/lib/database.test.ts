import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "kysely";
import { openDatabase } from "./database.ts";

test("a statement that was asked before is right after the table has changed", async () => {
  const db = openDatabase(":memory:");
  const all = async (): Promise<unknown> =>
    (await sql<object>`select * from things`.execute(db)).rows.map((row) => ({ ...row }));
  await sql`create table things (a integer)`.execute(db);
  await sql`insert into things values (${1})`.execute(db);
  assert.deepEqual(await all(), [{ a: 1 }]);
  await sql`alter table things add column b text`.execute(db);
  await sql`insert into things values (${2}, ${"x"})`.execute(db);
  assert.deepEqual(await all(), [
    { a: 1, b: null },
    { a: 2, b: "x" },
  ]);
  await db.destroy();
});

test("more statements than are kept, and one that fails, harm none", async () => {
  const db = openDatabase(":memory:");
  for (let round = 0; round < 1_200; round++) {
    const { rows } = await sql<{ n: number }>`select ${sql.raw(String(round % 700))} as n`.execute(db);
    assert.equal(rows[0]?.n, round % 700);
  }
  await assert.rejects(sql`select * from absent`.execute(db), /no such table/);
  await sql`create table absent (a integer)`.execute(db);
  assert.deepEqual((await sql`select * from absent`.execute(db)).rows, []);
  await db.destroy();
});
