import assert from "node:assert/strict";
import { test } from "node:test";
import { permits } from "#api";
import { openDatabase } from "#lib";
import { ClockFake } from "#lib/testing";
import { systemIds } from "#lib";
import { secretOf } from "./credentials.ts";
import { Tokens } from "./tokens.ts";

async function openTokens(): Promise<{ tokens: Tokens; clock: ClockFake }> {
  const clock = new ClockFake();
  return { tokens: await Tokens.open({ database: openDatabase(":memory:"), clock, ids: systemIds }), clock };
}

const basic = (text: string): string => `Basic ${Buffer.from(text).toString("base64")}`;
const headers = [
  { name: "a bearer token", header: "Bearer abc", want: "abc" },
  { name: "the scheme in any case", header: "bEARER abc", want: "abc" },
  { name: "the password of Basic, whatever the user", header: basic("x-access-token:abc"), want: "abc" },
  { name: "a password with a colon", header: basic("u:a:b"), want: "a:b" },
  { name: "nothing of Basic without a colon", header: basic("abc"), want: undefined },
  { name: "nothing of an unknown scheme", header: "Digest abc", want: undefined },
  { name: "nothing of a missing header", header: undefined, want: undefined },
  { name: "nothing of an oversized header", header: `Bearer ${"a".repeat(9000)}`, want: undefined },
];
for (const { name, header, want } of headers) {
  test(`the secret is ${name}`, () => assert.equal(secretOf(header), want));
}

test("a token authenticates until it is revoked", async () => {
  const { tokens } = await openTokens();
  const token = await tokens.mint({ name: "ci", scopes: ["git:read:acme/shop"] });
  const identity = await tokens.authenticate(`Bearer ${token.secret}`);
  assert.deepEqual(identity, { name: "ci", scopes: ["git:read:acme/shop"] });
  assert.equal(await tokens.authenticate(`Bearer ${token.secret}x`), undefined);
  await tokens.revoke(token.id);
  assert.equal(await tokens.authenticate(`Bearer ${token.secret}`), undefined);
  await assert.rejects(tokens.revoke(token.id), /there is no token/);
});

test("a token ends at its expiry", async () => {
  const { tokens, clock } = await openTokens();
  const token = await tokens.mint({ name: "job", scopes: ["git:read"], lifetimeMs: 60_000 });
  await clock.advance(59_000);
  assert.ok(await tokens.authenticate(`Bearer ${token.secret}`));
  await clock.advance(1_000);
  assert.equal(await tokens.authenticate(`Bearer ${token.secret}`), undefined);
});

test("a login code opens one session, once, within ten minutes", async () => {
  const { tokens, clock } = await openTokens();
  const code = tokens.makeLoginCode({ name: "ada", scopes: ["admin"] });
  const session = await tokens.redeemLoginCode(code);
  assert.equal((await tokens.authenticateSession(session))?.name, "ada");
  assert.equal(await tokens.redeemLoginCode(code), undefined);
  const late = tokens.makeLoginCode({ name: "ada", scopes: ["admin"] });
  await clock.advance(600_001);
  assert.equal(await tokens.redeemLoginCode(late), undefined);
});

test("a session ends with the token that opened it", async () => {
  const { tokens, clock } = await openTokens();
  const login = async (secret: string): Promise<string | undefined> => {
    const identity = await tokens.authenticate(`Bearer ${secret}`);
    assert.ok(identity);
    return await tokens.redeemLoginCode(tokens.makeLoginCode(identity));
  };
  const hour = await tokens.mint({ name: "ada", scopes: ["api:write"], lifetimeMs: 3_600_000 });
  const short = await login(hour.secret);
  const lasting = await tokens.mint({ name: "ada", scopes: ["api:write"] });
  const first = await login(lasting.secret);
  // A session may open another, which hangs on the same token.
  const second = await login(first ?? "");
  await clock.advance(3_600_000);
  assert.equal(await tokens.authenticateSession(short), undefined);
  assert.ok(await tokens.authenticateSession(second));
  await tokens.revoke(lasting.id);
  assert.equal(await tokens.authenticateSession(first), undefined);
  assert.equal(await tokens.authenticateSession(second), undefined);
});

test("a login code of a revoked token opens nothing", async () => {
  const { tokens } = await openTokens();
  const token = await tokens.mint({ name: "ada", scopes: ["api:write"] });
  const identity = await tokens.authenticate(`Bearer ${token.secret}`);
  const code = tokens.makeLoginCode(identity ?? { name: "", scopes: [] });
  await tokens.revoke(token.id);
  assert.equal(await tokens.redeemLoginCode(code), undefined);
});

test("another admin token ends the sessions of the former one, the same one after a restart does not", async () => {
  const { tokens } = await openTokens();
  const admin = { name: "admin", scopes: ["admin"] };
  await tokens.install("admin", "one", admin);
  const identity = await tokens.authenticate("Bearer one");
  const session = await tokens.redeemLoginCode(tokens.makeLoginCode(identity ?? admin));
  await tokens.install("admin", "one", admin);
  assert.ok(await tokens.authenticateSession(session));
  await tokens.install("admin", "two", admin);
  assert.equal(await tokens.authenticateSession(session), undefined);
});

test("expired tokens are forgotten when the next one is made", async () => {
  const { tokens, clock } = await openTokens();
  await tokens.mint({ name: "short", scopes: ["git:read"], lifetimeMs: 1000 });
  await clock.advance(2000);
  await tokens.mint({ name: "next", scopes: ["git:read"] });
  assert.deepEqual(
    (await tokens.list()).map(({ name }) => name),
    ["next"],
  );
});

for (const lifetimeMs of [Number.NaN, 0, -1, 1e300, "60"]) {
  test(`a lifetime of ${JSON.stringify(lifetimeMs)} (${typeof lifetimeMs}) is refused with the reason`, async () => {
    const { tokens } = await openTokens();
    const request = { name: "x", scopes: ["git:read"], lifetimeMs: lifetimeMs as number };
    await assert.rejects(tokens.mint(request), /lifetime above 0/);
  });
}

test("no token is called like a job, nor with control characters", async () => {
  const { tokens } = await openTokens();
  for (const name of ["run/5", "a\nb"]) {
    await assert.rejects(tokens.mint({ name, scopes: ["git:read"] }), /name: Names that begin with "run\/"/);
  }
});

test("scopes that are no text are refused with the reason", async () => {
  const { tokens } = await openTokens();
  await assert.rejects(tokens.mint({ name: "x", scopes: [1 as unknown as string] }), /A scope is text: found 1/);
});

test("scopes that mean nothing are refused with the reason", async () => {
  const { tokens } = await openTokens();
  await assert.rejects(
    tokens.mint({ name: "x", scopes: ["gti:read", "git"] }),
    /gti:read.*\n.*scopes\[1\].*:read or :write/,
  );
});

const permissions = [
  { name: "admin may all", scopes: ["admin"], ask: ["git", "write", "a/b"], want: true },
  { name: "write implies read", scopes: ["git:write"], ask: ["git", "read", "a/b"], want: true },
  { name: "read does not imply write", scopes: ["git:read"], ask: ["git", "write", "a/b"], want: false },
  { name: "one repository is not another", scopes: ["git:write:a/b"], ask: ["git", "read", "a/c"], want: false },
  {
    name: "a scope for one repository does not reach the whole area",
    scopes: ["git:write:a/b"],
    ask: ["git", "read"],
    want: false,
  },
  { name: "one area is not another", scopes: ["registry:write"], ask: ["git", "read", "a/b"], want: false },
] as const;
for (const { name, scopes, ask, want } of permissions) {
  test(name, () => assert.equal(permits({ name: "n", scopes }, ask[0], ask[1], ask[2]), want));
}

test("a token for a user says who, and so does a browser session that it opens", async () => {
  const { tokens } = await openTokens();
  const user = { name: "ada", groups: ["developers"] };
  const token = await tokens.mint({ name: "laptop", scopes: [], user });
  const identity = await tokens.authenticate(`Bearer ${token.secret}`);
  assert.deepEqual(identity, { name: "laptop", scopes: [], user });
  const session = await tokens.redeemLoginCode(tokens.makeLoginCode(identity));
  assert.deepEqual((await tokens.authenticateSession(session))?.user, user);
  assert.deepEqual((await tokens.list())[0]?.user, user);
});

const refusedUsers = [
  { name: "nobody", user: { name: "", groups: [] }, want: /user: A name of 1 to 200/ },
  { name: "a name of the system's", user: { name: "system:serviceaccount:a:b", groups: [] }, want: /are reserved/ },
  { name: "a name that no header can carry", user: { name: "a\nb", groups: [] }, want: /visible ASCII/ },
  {
    name: "the group of a scope",
    user: { name: "ada", groups: ["tidegate:kube:write"] },
    want: /is not given to tokens/,
  },
  {
    name: "the group of service accounts",
    user: { name: "ada", groups: ["system:serviceaccounts:a"] },
    want: /groups\[0\]/,
  },
];
for (const { name, user, want } of refusedUsers) {
  test(`no token is made for ${name}`, async () => {
    const { tokens } = await openTokens();
    await assert.rejects(tokens.mint({ name: "t", scopes: [], user }), want);
  });
}
