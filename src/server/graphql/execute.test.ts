import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { notFound } from "../rest/rest-error.ts";
import { executeOperation, Graph, type Args } from "./execute.ts";
import { parseDocument } from "./parse.ts";

const ada = new Graph("User", { login: "ada", id: "1" }, ["Actor"]);
const root = new Graph("Query", {
  viewer: ada,
  people: [ada, new Graph("Bot", { login: "bot" }, ["Actor"])],
  echo: (args: Args) => JSON.stringify(args),
  nobody: null,
  gone: () => Promise.reject(notFound()),
});

async function answer(source: string, variables: Args = {}): Promise<unknown> {
  const document = parseDocument(source);
  const [operation] = document.operations;
  assert.ok(operation !== undefined);
  return await executeOperation(document, operation, root, variables);
}

const cases: readonly [name: string, source: string, variables: Args, want: unknown][] = [
  [
    "fields and other names for them",
    "{ viewer { me: login __typename } }",
    {},
    { viewer: { me: "ada", __typename: "User" } },
  ],
  [
    "variables and their defaults",
    "query Q($a: String!, $b: [Int!] = [1, 2]) { echo(a: $a, b: $b) }",
    { a: "x" },
    { echo: '{"a":"x","b":[1,2]}' },
  ],
  [
    "objects, constants and names of enumerations",
    "{ echo(in: {a: true, b: null, c: OUTDATED, d: -1.5e2}) }",
    {},
    { echo: '{"in":{"a":true,"b":null,"c":"OUTDATED","d":-150}}' },
  ],
  [
    "texts with escapes and in blocks",
    '{ a: echo(t: "a\\n\\u00e9") b: echo(t: """x "y" z""") }',
    {},
    { a: '{"t":"a\\né"}', b: '{"t":"x \\"y\\" z"}' },
  ],
  [
    "lists, and what only one type has",
    "{ people { login ... on User { id } } }",
    {},
    { people: [{ login: "ada", id: "1" }, { login: "bot" }] },
  ],
  [
    "fragments by name and by interface",
    "{ people { ...P } } fragment P on Actor { login }",
    {},
    { people: [{ login: "ada" }, { login: "bot" }] },
  ],
  ["comments and commas", "# what\n{ viewer, { login, } }", {}, { viewer: { login: "ada" } }],
  ["nothing", "{ nobody }", {}, { nobody: null }],
];
for (const [name, source, variables, want] of cases) {
  test(`a query has ${name}`, async () => assert.deepEqual(await answer(source, variables), { data: want }));
}

test("what fails is told beside what does not", async () => {
  assert.deepEqual(await answer("{ gone viewer { login } other: viewer { age } bare: viewer }"), {
    data: { gone: null, viewer: { login: "ada" }, other: null, bare: null },
    errors: [
      { type: "NOT_FOUND", path: ["gone"], message: "Not Found" },
      { type: "UNPROCESSABLE", path: ["other"], message: "Field 'age' doesn't exist on type 'User'" },
      { type: "UNPROCESSABLE", path: ["bare"], message: "Field 'viewer' returns User but has no selections" },
    ],
  });
});

const wrong = [
  "{",
  "{ a(b: ) }",
  "subscription { a }",
  "{ a(b: [",
  "{ ...",
  `{ a(b: ${"[".repeat(40)} }`,
  "{ a ".repeat(40),
  "{ a ; }",
  "x".repeat(70_000),
];
for (const source of wrong) {
  test(`a document is refused: ${source.slice(0, 24)}`, () =>
    assert.throws(() => parseDocument(source), { code: "rest/bad-request" }));
}

test("fragments that hold each the next one twice are refused before they are all unfolded", async () => {
  const doubling = Array.from({ length: 60 }, (_, n) => `fragment F${n} on Query { ...F${n + 1} ...F${n + 1} }`);
  const source = `{ ...F0 } ${doubling.join(" ")} fragment F60 on Query { nobody }`;
  await assert.rejects(answer(source), /at most 20000 fields/);
  const wide = `{ ${"...W ".repeat(5_000)} } fragment W on Query { ${"nobody ".repeat(5_000)} }`;
  await assert.rejects(answer(wide), /at most 20000 fields/);
});

test("a fragment within itself ends, and any text is read or refused", async () => {
  await assert.rejects(answer("{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }"), /within itself/);
  const part = fc.constantFrom(
    "{",
    "}",
    "(",
    ")",
    "a",
    ":",
    "$",
    "...",
    "on",
    "query",
    '"',
    "[",
    "]",
    "1",
    " ",
    "fragment",
    "!",
    "=",
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
      try {
        parseDocument(parts.join(""));
        return true;
      } catch (error) {
        return (error as { code?: string }).code === "rest/bad-request";
      }
    }),
  );
});
