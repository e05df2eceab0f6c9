import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { ClockFake } from "#lib/testing";
import { parseBlockList } from "./http/block-list.ts";
import { int64 } from "./http/grants.ts";
import { protobufTime } from "./http/protobuf-time.ts";
import { cacheScopes } from "./job-grant.ts";
import { RuntimeTokens } from "./runtime-tokens.ts";
import { SignedUrls } from "./signed-urls.ts";
import { matchCache } from "./store/match-cache.ts";
import { planCacheEviction, type KeptCache } from "./store/plan-eviction.ts";

describe("scopes of a cache", () => {
  const run = { ref: "refs/heads/topic", baseRef: "", defaultBranch: "main", readOnly: false };

  test("numbers of a Protobuf message come as text, and 0 does not come at all", () => {
    assert.deepEqual([int64({ size: "12" }, "size"), int64({ size: 12 }, "size"), int64({}, "size")], [12, 12, 0]);
    for (const size of ["1.5", "-1", "x", null]) assert.throws(() => int64({ size }, "size"), /whole number/);
  });

  test("a branch writes its own and reads the default branch's", () => {
    assert.deepEqual(cacheScopes(run), [
      { ref: "refs/heads/topic", writable: true },
      { ref: "refs/heads/main", writable: false },
    ]);
  });

  test("a pull request reads what it is to be merged into, and leaves nothing there", () => {
    assert.deepEqual(cacheScopes({ ...run, ref: "refs/pull/1/merge", baseRef: "release" }), [
      { ref: "refs/pull/1/merge", writable: true },
      { ref: "refs/heads/release", writable: false },
      { ref: "refs/heads/main", writable: false },
    ]);
  });

  test("a stranger's code writes nowhere", () => {
    assert.ok(cacheScopes({ ...run, readOnly: true }).every((scope) => !scope.writable));
  });
});

describe("the entry a job gets", () => {
  const entries = [
    { scope: "a", key: "npm-1", version: "v", createdAt: 1 },
    { scope: "a", key: "npm-2", version: "v", createdAt: 2 },
    { scope: "b", key: "npm-3", version: "v", createdAt: 3 },
    { scope: "b", key: "npm-3", version: "w", createdAt: 4 },
  ];

  const cases: readonly [string, string, readonly string[], string | undefined][] = [
    ["is its own key's", "npm-1", ["npm-"], "npm-1"],
    ["is the newest that begins with a restore key", "npm-9", ["npm-"], "npm-2"],
    ["is the newest that begins with the key itself", "npm", [], "npm-2"],
    ["is of the next branch when its own has none", "npm-3", [], "npm-3"],
    ["is of its own branch before an exact one of the next", "npm-3", ["npm-"], "npm-2"],
    ["is none when nothing begins so", "yarn", ["pnpm"], undefined],
  ];
  for (const [name, key, restoreKeys, found] of cases) {
    test(name, () => {
      assert.equal(matchCache(entries, { scopes: ["a", "b"], key, restoreKeys, version: "v" })?.key, found);
    });
  }

  test("is never of a branch or version that was not asked for", () => {
    const word = fc.stringMatching(/^[ab]{1,3}$/);
    const entry = fc.record({ scope: word, key: word, version: word, createdAt: fc.nat() });
    const question = fc.record({ scopes: fc.array(word), key: word, restoreKeys: fc.array(word), version: word });
    fc.assert(
      fc.property(fc.array(entry), question, (all, asked) => {
        const found = matchCache(all, asked);
        if (found === undefined) return;
        assert.ok(asked.scopes.includes(found.scope));
        assert.equal(found.version, asked.version);
        assert.ok([asked.key, ...asked.restoreKeys].some((key) => found.key.startsWith(key)));
      }),
    );
  });
});

describe("eviction", () => {
  const limits = { repositoryBytes: 100, unusedMs: 1000, reservedMs: 50 };
  const entry: KeptCache = { id: 1, repository: "a/b", size: 60, state: "ready", createdAt: 0, usedAt: 900 };

  test("what was used least recently goes until the rest fits", () => {
    const entries = [entry, { ...entry, id: 2, usedAt: 901 }, { ...entry, id: 3, repository: "c/d", usedAt: 1 }];
    assert.deepEqual(planCacheEviction(entries, limits, 1000), [1]);
  });

  test("what nobody asked for goes, and uploads that never ended", () => {
    const entries = [
      { ...entry, usedAt: 0 },
      { ...entry, id: 2, state: "reserved" as const, createdAt: 940 },
      { ...entry, id: 3, state: "reserved" as const, createdAt: 960 },
    ];
    assert.deepEqual(planCacheEviction(entries, limits, 1001), [1, 2]);
  });
});

describe("signed addresses", () => {
  const clock = new ClockFake();
  const urls = new SignedUrls(new Uint8Array(32).fill(1), clock);
  const query = (path: string): Record<string, string> =>
    Object.fromEntries(new URL(path, "http://x").searchParams.entries());

  test("permit what they were made for, of that blob, until they expire", () => {
    const own = query(urls.pathFor({ id: "a", access: "read" }, { contentType: "application/zip" }));
    assert.equal(urls.permits({ id: "a", access: "read" }, own), true);
    assert.equal(urls.permits({ id: "b", access: "read" }, own), false);
    assert.equal(urls.permits({ id: "a", access: "write" }, own), false);
    assert.equal(urls.permits({ id: "a", access: "write" }, { ...own, sp: "w" }), false);
    assert.equal(urls.permits({ id: "a", access: "read" }, { ...own, rsct: "text/html" }), false);
    assert.equal(urls.permits({ id: "a", access: "read" }, { ...own, se: String(Number(own["se"]) + 1) }), false);
    clock.advance(3_600_001);
    assert.equal(urls.permits({ id: "a", access: "read" }, own), false);
  });

  test("no query makes it throw", () => {
    const value = fc.oneof(fc.string(), fc.array(fc.string()), fc.constant(undefined));
    const any = fc.record({ se: value, sp: value, sig: value, rsct: value, rscd: value });
    fc.assert(fc.property(any, (asked) => assert.equal(urls.permits({ id: "a", access: "read" }, asked), false)));
  });
});

test("a job's token carries what it may do, says so to clients, and is nobody else's to make", async () => {
  const clock = new ClockFake();
  const tokens = new RuntimeTokens(new Uint8Array(32).fill(1), clock);
  const grant = {
    repository: "a/b",
    runId: "7",
    jobId: "9",
    attempt: 1,
    scopes: [{ ref: "refs/heads/main", writable: true }],
  };
  const token = await tokens.sign(grant, 60_000);
  const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as { scp: string };
  assert.equal(claims.scp, "Actions.Results:run-7:9");
  assert.deepEqual(await tokens.verify(`Bearer ${token}`), grant);
  assert.equal(await new RuntimeTokens(new Uint8Array(32).fill(2), clock).verify(`Bearer ${token}`), undefined);
  assert.equal(await tokens.verify(`Bearer ${token.slice(0, -2)}`), undefined);
  clock.advance(61_000);
  assert.equal(await tokens.verify(`Bearer ${token}`), undefined);
});

test("a list of blocks is read in its order, whatever kinds its entries are", () => {
  const xml =
    '<?xml version="1.0"?><BlockList><Latest>AA==</Latest>\n<Committed>QQ==</Committed><Uncommitted>AA==</Uncommitted></BlockList>';
  assert.deepEqual(parseBlockList(xml), ["AA==", "QQ==", "AA=="]);
  assert.deepEqual(parseBlockList("<BlockList></BlockList>"), []);
  assert.deepEqual(
    parseBlockList('<?xml version="1.0"?>\n<BlockList/>'),
    [],
    "an empty file, as Azure's client says it",
  );
  assert.throws(() => parseBlockList("<List/>"), /no <BlockList>/);
});

test("times in answers have as many digits as protobuf allows, whatever the millisecond", () => {
  for (const ms of [0, 120, 100, 123]) assert.match(protobufTime(ms), /T00:00:00\.\d{3}Z$/);
});
