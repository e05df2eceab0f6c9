import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parseBatch } from "./cat-file.ts";
import { isRefName, repositoryNameProblem, zeroId } from "./names.ts";
import { bandPackets, flushPacket, packet, PacketSplitter } from "./pkt-line.ts";
import { parseNameStatus, parseTree } from "./plumbing.ts";
import { refuseCommands, refuseForced, type BranchProtection } from "./protection.ts";
import { parsePushHead } from "./push-head.ts";
import { messageBytes, refusalReport } from "./push-report.ts";
import { parseRemoteUrl } from "./remote-url.ts";
import { withTrailers } from "./system-commit.ts";
import { planSettlement } from "./update-ledger.ts";

const a = "a".repeat(40);
const b = "b".repeat(40);

describe("what the ledger records of a ref", () => {
  const cases: readonly [name: string, recorded: string, actual: string, after: string | undefined, want: string][] = [
    ["nothing when it is as recorded", a, a, undefined, "nothing"],
    ["nothing when the intended move did not happen", a, a, b, "nothing"],
    ["the intent when it did", a, b, b, "intent"],
    ["a move from outside when none was intended", a, b, undefined, "outside"],
    ["a move from outside when another was intended", a, zeroId, b, "outside"],
    ["the intent when it deleted the ref", a, zeroId, zeroId, "intent"],
  ];
  for (const [name, recorded, actual, after, want] of cases) {
    test(name, () => assert.equal(planSettlement({ recorded, actual, after }), want));
  }
});

describe("a push is refused by rule", () => {
  const rule = (branch: string, more: Partial<BranchProtection> = {}): BranchProtection => ({
    branch,
    allowForcePush: false,
    allowDeletions: false,
    requirePullRequest: false,
    ...more,
  });
  const cases: readonly [
    name: string,
    ref: string,
    after: string,
    rules: BranchProtection[],
    want: RegExp | undefined,
  ][] = [
    ["not without rules", "refs/heads/main", b, [], undefined],
    ["not for an ordinary move of a protected branch", "refs/heads/main", b, [rule("main")], undefined],
    ["for deleting a protected branch", "refs/heads/main", zeroId, [rule("main")], /forbids deletion/],
    [
      "not for deleting where that is allowed",
      "refs/heads/main",
      zeroId,
      [rule("main", { allowDeletions: true })],
      undefined,
    ],
    [
      "by a pattern",
      "refs/heads/release/1",
      b,
      [rule("release/*", { requirePullRequest: true })],
      /"release\/\*" requires/,
    ],
    [
      "not by a pattern for another branch",
      "refs/heads/main",
      b,
      [rule("release/*", { requirePullRequest: true })],
      undefined,
    ],
    ["not for a tag of the branch's name", "refs/tags/main", zeroId, [rule("main")], undefined],
    ["for refs that are the system's", "refs/pull/1/head", b, [], /^reserved/],
  ];
  for (const [name, ref, after, rules, want] of cases) {
    test(name, () => {
      const [refusal] = refuseCommands([{ ref, before: a, after }], rules);
      if (want === undefined) assert.equal(refusal, undefined);
      else assert.match(refusal?.reason ?? "", want);
    });
  }

  test("for a forced push, unless the rule allows it", () => {
    const refs = ["refs/heads/main", "refs/heads/topic"];
    assert.deepEqual(
      refuseForced(refs, [rule("main")]).map((refusal) => refusal.ref),
      ["refs/heads/main"],
    );
    assert.deepEqual(refuseForced(refs, [rule("main", { allowForcePush: true })]), []);
  });
});

test("packets are cut from a stream the same however it is chopped", () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 200 })),
      fc.array(fc.integer({ min: 1, max: 50 })),
      (payloads, cuts) => {
        const bytes = Buffer.concat([...payloads.map((payload) => packet(payload)), flushPacket]);
        const splitter = new PacketSplitter();
        const found: Buffer[] = [];
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const size = cuts[turn % Math.max(1, cuts.length)] ?? 7;
          for (const next of splitter.push(bytes.subarray(at, at + size))) {
            if (next.kind === "data") found.push(Buffer.from(next.payload));
          }
          at += size;
        }
        assert.deepEqual(
          found,
          payloads.map((payload) => Buffer.from(payload)),
        );
      },
    ),
  );
});

test("a payload of any length fits into its band's packets", () => {
  const splitter = new PacketSplitter();
  const payload = Buffer.alloc(200_000, "x");
  const parts = splitter
    .push(bandPackets(2, payload))
    .map((next) => (next.kind === "data" ? next.payload : Buffer.of()));
  assert.ok(parts.length > 3 && parts.every((part) => part[0] === 2));
  assert.equal(Buffer.concat(parts.map((part) => part.subarray(1))).length, payload.length);
});

test("the commands of a push are read once they are whole", () => {
  const line = packet(`${a} ${b} refs/heads/main\0 report-status side-band-64k agent=git/2`);
  const bytes = Buffer.concat([packet(`shallow ${a}\n`), line, packet(`${zeroId} ${b} refs/tags/v1\n`), flushPacket]);
  for (let end = 0; end < bytes.length; end++) assert.equal(parsePushHead(bytes.subarray(0, end)), undefined);
  const head = parsePushHead(Buffer.concat([bytes, Buffer.from("PACK…")]));
  assert.deepEqual(head?.commands, [
    { before: a, after: b, ref: "refs/heads/main" },
    { before: zeroId, after: b, ref: "refs/tags/v1" },
  ]);
  assert.equal(head?.capabilities.has("side-band-64k"), true);
  assert.throws(() => parsePushHead(packet(`${a} ${b} ../../x`)), /not a ref name/);
  assert.throws(() => parsePushHead(Buffer.from("GET / HTTP")), /pkt-line/);
});

test("a refusal names its reason on one line and says why the others did not go", () => {
  const report = refusalReport(["refs/heads/x", "refs/heads/y"], [{ ref: "refs/heads/x", reason: "no\nway\u0007" }]);
  assert.match(report.toString(), /ng refs\/heads\/x no way\n/);
  assert.match(report.toString(), /ng refs\/heads\/y not updated: another ref/);
  assert.match(messageBytes(Array.from({ length: 300 }, String)).toString(), /and 100 more lines/);
});

test("names that could leave their place are no names", () => {
  for (const name of ["acme/shop", "A-b/c.d_e", "_x/y"]) assert.equal(repositoryNameProblem(name), undefined, name);
  for (const name of [
    "acme",
    "a/b/c",
    "../etc",
    "a/..",
    "a/.git",
    "a/b.git",
    "a/b.lock",
    "a/b..c",
    "-a/b",
    "a/b.",
    "a/",
  ]) {
    assert.notEqual(repositoryNameProblem(name), undefined, name);
  }
  for (const ref of ["refs/heads/a", "refs/heads/a/b.c", "refs/tags/ä"]) assert.equal(isRefName(ref), true, ref);
  for (const ref of [
    "main",
    "refs/heads/../x",
    "refs/heads/.x",
    "refs/heads/a.lock",
    "refs/heads/a b",
    "refs/heads/",
    "refs/a//b",
    "refs/x@{1}",
  ]) {
    assert.equal(isRefName(ref), false, ref);
  }
});

test("plumbing output becomes data, whatever the paths are called", () => {
  assert.deepEqual(parseNameStatus("A\0new file\0M\0a\tb\0D\0gone\0"), [
    { path: "new file", status: "added" },
    { path: "a\tb", status: "modified" },
    { path: "gone", status: "deleted" },
  ]);
  assert.deepEqual(parseTree(`100755 blob ${a}      12\trun me\x00040000 tree ${b}       -\tsrc\0`), [
    { name: "run me", type: "executable", sha: a, size: 12 },
    { name: "src", type: "folder", sha: b, size: undefined },
  ]);
  const [first, second, third] = parseBatch(Buffer.from(`${a} blob 3\nx\ny\nHEAD:nope missing\n${b} tree 0\n\n`));
  assert.equal(first?.content.toString(), "x\ny");
  assert.deepEqual([second, third?.type], [undefined, "tree"]);
});

test("credentials leave the URL they came in", () => {
  const remote = parseRemoteUrl("https://me:p%40ss@example.com/a/b.git");
  assert.equal(remote.url, "https://example.com/a/b.git");
  assert.equal(remote.authorization, `Basic ${btoa("me:p@ss")}`);
});

test("trailers are the last paragraph, one line each", () => {
  assert.equal(withTrailers("Deploy\n", {}), "Deploy\n");
  assert.equal(withTrailers("Deploy", { By: "a\nEvil: yes", Run: "7" }), "Deploy\n\nBy: a Evil: yes\nRun: 7\n");
});
