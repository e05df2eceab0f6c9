/** References, policies and locks: pure. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { formatProblems } from "#lib";
import { judgeAction, pinProblem } from "./judge.ts";
import { checkLock, readActionLock, writeActionLock, type PlacedLockEntry } from "./lock.ts";
import { emptyPolicy, readActionPolicy, type ActionPolicy } from "./policy.ts";
import { matchesPattern, parseActionReference, type ActionReference } from "./reference.ts";
import { usesInFiles } from "./uses-in-files.ts";

const commit = "0123456789abcdef0123456789abcdef01234567";

function reference(uses: string): ActionReference {
  const found = parseActionReference(uses);
  assert.ok(found, uses);
  return found;
}

describe("a reference", () => {
  for (const [uses, want] of [
    ["actions/checkout@v4", { repository: "actions/checkout", path: "", ref: "v4" }],
    ["acme/tools/a/b@refs/heads/x", { repository: "acme/tools", path: "a/b", ref: "refs/heads/x" }],
    ["https://Git.example.com/o/r@v1", { repository: "o/r", path: "", ref: "v1", host: "https://git.example.com" }],
    ["./local", undefined],
    ["$/own", undefined],
    ["docker://alpine:3", undefined],
    ["actions/checkout", undefined],
    ["acme/tools/../secret@v1", undefined],
    ["acme/..@v1", undefined],
    ["acme/tools@../x", undefined],
    ["acme/tools@--upload-pack=x", undefined],
    ["a b/c@v1", undefined],
  ] as const) {
    test(`"${uses}" is ${want === undefined ? "none" : `${want.repository} at ${want.ref}`}`, () => {
      assert.deepEqual(parseActionReference(uses), want);
    });
  }

  for (const [pattern, uses, want] of [
    ["*", "acme/tools@v1", true],
    ["acme/*", "Acme/tools/x@v1", true],
    ["acme/*", "acme-evil/tools@v1", false],
    ["acme/tools", "acme/tools/any/path@v1", true],
    ["acme/tools/x", "acme/tools/y@v1", false],
    ["acme/tools/x/*", "acme/tools/x/y@v1", true],
    ["acme/tools@v1", "acme/tools@v1", true],
    ["acme/tools@v1", "acme/tools@v2", false],
    ["https://git.example.com/acme/*", "acme/tools@v1", false],
    ["https://git.example.com/acme/*", "https://git.example.com/acme/tools@v1", true],
  ] as const) {
    test(`"${uses}" ${want ? "fits" : "does not fit"} the pattern "${pattern}"`, () => {
      assert.equal(matchesPattern(pattern, reference(uses)), want);
    });
  }
});

describe("a policy", () => {
  const policy = (text: string, file = "actions.yml"): ActionPolicy => {
    const { value, problems } = readActionPolicy(file, text, "installation");
    assert.ok(value, formatProblems(problems));
    return value;
  };

  for (const [name, texts, uses, want] of [
    ["says nothing: built-ins, then what is here, then other hosts", [], "a/b@v1", "built-in,local,remote none"],
    ["chooses the order of its own", ["order: [local, remote]"], "a/b@v1", "local,remote none"],
    [
      "of a repository orders what the installation leaves",
      ["order: [built-in, local]", "order: [remote, local]"],
      "a/b@v1",
      "local none",
    ],
    [
      "of a repository gets nothing back",
      ["order: [built-in]", "order: [remote]"],
      "a/b@v1",
      "repo.yml leaves no source for it",
    ],
    ["makes exceptions by pattern", ["overrides: { a/*: [remote] }"], "a/b@v1", "remote none"],
    ["denies before it allows", ["allow: ['*']\ndeny: [a/b]"], "a/b@v1", 'actions.yml denies "a/b"'],
    ["allows nothing else", ["allow: [c/*]"], "a/b@v1", "actions.yml allows only c/*"],
    [
      "cannot allow what the one before it forbids",
      ["deny: [a/*]", "allow: [a/b]"],
      "a/b@v1",
      'actions.yml denies "a/*"',
    ],
    ["cannot loosen pins", ["pins: commit", "pins: none"], "a/b@v1", "built-in,local,remote commit"],
    ["may tighten pins", ["pins: lock", "pins: commit"], "a/b@v1", "built-in,local,remote commit"],
  ] as const) {
    test(name, () => {
      const policies = texts.map((text, index) => policy(text, index === 0 ? "actions.yml" : "repo.yml"));
      const found = judgeAction(reference(uses), policies);
      assert.equal(found.kind === "refused" ? found.reason : `${found.sources.join()} ${found.pins}`, want);
    });
  }

  for (const [text, want] of [
    ["- a", "1:1: Not a policy"],
    ["order: [cloud]", '1:8: order: Must be some of built-in, local, remote, not "cloud"'],
    ["order: []", "1:8: order: Names no source"],
    ["order: [local, local]", "1:8: order: Names a source twice"],
    ["pins: yes", '1:7: pins: Must be one of none, commit, lock, not "yes"'],
    ["allow: [a]", '1:9: allow: "a" is no pattern'],
    ["overrides: { '*/b': [local] }", '1:14: overrides.*/b: "*/b" is no pattern'],
    ["hosts: [ssh://x]", '1:9: hosts: "ssh://x" is no http, https or file URL'],
    ["hosts: ['https://u:p@x']", "1:9: hosts: Credentials do not belong into a URL"],
    ["refresh-hours: soon", "1:16: refresh-hours: Must be a number of hours"],
    ["colour: red", "1:1: colour: Unknown key. Use order"],
  ] as const) {
    test(`with "${text}" is refused at its place`, () => {
      const { value, problems } = readActionPolicy("p.yml", text, "installation");
      assert.equal(value, undefined);
      assert.ok(formatProblems(problems).startsWith(`p.yml:${want}`), formatProblems(problems));
    });
  }

  test("of a repository does not name hosts", () => {
    const { problems } = readActionPolicy("p.yml", "hosts: [https://x]", "repository");
    assert.match(formatProblems(problems), /p\.yml:1:1: hosts: Unknown key\. Only actions\.yml of the installation/);
  });

  test("about pins is met by a commit, and by the lock where that is enough", () => {
    const tag = reference("a/b@v1");
    assert.equal(pinProblem(tag, "none", false), undefined);
    assert.equal(pinProblem(tag, "lock", true), undefined);
    assert.match(pinProblem(tag, "lock", false) ?? "", /tidegate actions lock/);
    assert.match(pinProblem(tag, "commit", true) ?? "", /a whole commit/);
    assert.equal(pinProblem(reference(`a/b@${commit}`), "commit", false), undefined);
  });
  test("that is empty allows everything", () => {
    assert.equal(judgeAction(reference("a/b@v1"), [emptyPolicy("x")]).kind, "allowed");
  });
});

describe("a lock", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  const entries = [
    { key: "b/b@v1", commit, digest },
    { key: "a/a@v1.10", commit, digest },
  ];

  test("is read as it was written, whatever the order of its entries", () => {
    const text = writeActionLock(entries);
    assert.equal(text, writeActionLock(entries.toReversed()));
    const read = readActionLock("x.lock", text).value;
    assert.deepEqual(
      [...(read?.values() ?? [])].map(({ at, ...entry }) => [at.line, entry]),
      [
        [4, entries[1]],
        [7, entries[0]],
      ],
    );
    assert.equal(readActionLock("x.lock", writeActionLock([])).value?.size, 0);
  });

  for (const [text, want] of [
    ["actions: {}", '1:1: version: Not a lock that this release reads: "version" must be 1'],
    ["version: 2", "1:10: version: Not a lock"],
    [
      `version: 1\nactions:\n  a: { commit: "${commit}", digest: ${digest} }`,
      '3:3: actions.a: "a" is no owner/repo@ref',
    ],
    [`version: 1\nactions:\n  a/b@v1: { commit: abc, digest: ${digest} }`, '3:3: actions.a/b@v1: "commit" must be'],
    [`version: 1\nactions:\n  a/b@v1: { commit: "${commit}" }`, '3:3: actions.a/b@v1: "digest" must be sha256:'],
    [
      `version: 1\nactions:\n  a/b@v1: &x { commit: "${commit}", digest: ${digest} }\n  A/B@v1: *x`,
      '4:3: actions: "a/b@v1" is locked twice',
    ],
  ] as const) {
    test(`is refused at ${want}`, () => {
      const { value, problems } = readActionLock("x.lock", text);
      assert.equal(value, undefined);
      assert.ok(formatProblems(problems).startsWith(`x.lock:${want}`), formatProblems(problems));
    });
  }

  const entry: PlacedLockEntry = { key: "a/b@v1", commit, digest, at: { file: "x.lock", line: 4, column: 3 } };
  for (const [kind, sha, want] of [
    ["tag", commit, "agreed"],
    ["tag", "f".repeat(40), "refused"],
    ["branch", "f".repeat(40), "locked-commit"],
    ["commit", "f".repeat(40), "refused"],
  ] as const) {
    test(`and a ${kind} that is ${sha === commit ? "what it says" : "another commit"}: ${want}`, () => {
      const found = checkLock(reference("a/b@v1"), entry, { kind, ref: "refs/x", sha });
      assert.equal(found.kind, want);
      if (found.kind === "refused") assert.match(found.reason, /x\.lock:4:3 says 0123.*lock --update a\/b@v1/);
    });
  }
});

test("what files use is found in jobs and actions, not in what is handed to them", () => {
  const text = `
on: push
uses: not/this@v1
jobs:
  call: { uses: a/b/.github/workflows/x.yml@v1 }
  go:
    env: { uses: not/this@v1 }
    steps:
      - uses: actions/checkout@v4
        with: { uses: not/this@v1 }
      - parallel: [{ uses: c/d@v2 }]
      - uses: ./local
`;
  assert.deepEqual(
    usesInFiles([{ path: "w.yml", text }]).map(({ uses, at }) => `${at.line}:${at.column} ${uses}`),
    ["5:17 a/b/.github/workflows/x.yml@v1", "9:15 actions/checkout@v4", "11:28 c/d@v2"],
  );
});
