import assert from "node:assert/strict";
import { test } from "node:test";
import { noStreams, startFace, token } from "./testing.ts";

const headers = { authorization: `Bearer ${token}` };
const path = "/kube/api/v1/namespaces/default/configmaps";

interface StatusBody {
  readonly message: string;
  readonly metadata: { readonly continue?: string; readonly resourceVersion?: string };
  readonly items: readonly { readonly metadata: { readonly name: string } }[];
}

const refusals: readonly (readonly [
  name: string,
  method: "GET" | "POST" | "DELETE",
  query: string,
  code: number,
  why: RegExp,
])[] = [
  [
    "a match without a version",
    "GET",
    "resourceVersionMatch=Exact",
    422,
    /forbidden unless resourceVersion is provided/,
  ],
  [
    "the exact state of any time",
    "GET",
    "resourceVersion=0&resourceVersionMatch=Exact",
    422,
    /forbidden for resourceVersion "0"/,
  ],
  [
    "an unknown match",
    "GET",
    "resourceVersion=1&resourceVersionMatch=Foo",
    422,
    /supported values: "Exact", "NotOlderThan", ""/,
  ],
  ["initial events of a list", "GET", "sendInitialEvents=true", 422, /sendInitialEvents is forbidden for list/],
  [
    "initial events without a match",
    "GET",
    "watch=1&sendInitialEvents=true",
    422,
    /requires setting resourceVersionMatch/,
  ],
  ["a match of a watch", "GET", "watch=1&resourceVersionMatch=NotOlderThan", 422, /forbidden for watch unless/],
  ["a version that is no number", "GET", "resourceVersion=1x", 400, /parsing "1x": invalid syntax/],
  ["the future", "GET", "resourceVersion=99999", 504, /Too large resource version: 99999/],
  ["another dry run", "POST", "dryRun=Some", 422, /dryRun: Unsupported value: \[\]string\{"Some"\}/],
  ["another validation", "POST", "fieldValidation=Foo", 422, /fieldValidation: Unsupported value: "Foo"/],
  ["a manager too long", "POST", `fieldManager=${"m".repeat(129)}`, 422, /fieldManager: Too long/],
  ["a manager nobody can print", "POST", "fieldManager=a%00b", 422, /invalid character U\+0000 \(at position 1\)/],
  [
    "another propagation",
    "DELETE",
    "propagationPolicy=Foo",
    422,
    /supported values: "Foreground", "Background", "Orphan"/,
  ],
];
test("what may not be asked is refused in upstream's words and with its code", async (t) => {
  const app = await startFace(t);
  for (const [name, method, query, code, why] of refusals) {
    const payload = method === "POST" ? { payload: JSON.stringify({ metadata: { name: "z" } }) } : {};
    const answer = await app.inject({ method, url: `${path}?${query}`, headers, ...payload });
    assert.equal(answer.statusCode, code, `${name}: ${answer.body}`);
    assert.match(answer.json<StatusBody>().message, why, name);
  }
});

test("fields said twice are refused, warned of or let be, as asked", async (t) => {
  const app = await startFace(t);
  const payload = '{"metadata":{"name":"z"},"data":{"a":"1","a":"2"}}';
  const send = async (validation: string): Promise<{ code: number; warning: unknown; text: string }> => {
    const url = `${path}?dryRun=All&fieldValidation=${validation}`;
    const answer = await app.inject({ method: "POST", url, headers, payload });
    return { code: answer.statusCode, warning: answer.headers["warning"], text: answer.body };
  };
  const strict = await send("Strict");
  assert.equal(strict.code, 400);
  assert.match(strict.text, /strict decoding error: duplicate field \\"data.a\\"/);
  const warned = await send("Warn");
  assert.deepEqual([warned.code, String(warned.warning)], [201, '299 - "duplicate field \\"data.a\\""']);
  assert.deepEqual(await send("Ignore").then(({ code, warning }) => [code, warning]), [201, undefined]);
});

test("a list whose state is gone may go on with the token of the refusal", async (t) => {
  const app = await startFace(t, noStreams, { retention: { entries: 8, ageMs: 3_600_000 } });
  const put = async (name: string): Promise<void> => {
    await app.inject({ method: "POST", url: path, headers, payload: JSON.stringify({ metadata: { name } }) });
  };
  for (const name of ["a", "b", "c"]) await put(name);
  const first = (await app.inject({ url: `${path}?limit=1`, headers })).json<StatusBody>();
  for (let i = 0; i < 40; i++) await put(`d${i}`);
  const next = `${path}?continue=${first.metadata.continue}`;
  const refused = await app.inject({ url: next, headers });
  assert.equal(refused.statusCode, 410);
  const { message, metadata } = refused.json<StatusBody>();
  assert.match(message, /inconsistent list/);
  const rest = (await app.inject({ url: `${path}?continue=${metadata.continue}`, headers })).json<StatusBody>();
  assert.deepEqual(
    rest.items.slice(0, 2).map((item) => item.metadata.name),
    ["b", "c"],
  );
  assert.equal(rest.items.length, 42);
});
