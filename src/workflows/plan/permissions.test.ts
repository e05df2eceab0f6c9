import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { PermissionLevel, Permissions } from "../parse/model.ts";
import { excess, grantedBy, jobPermissions, limitedDefault, type CallLevel } from "./permissions.ts";

const rank = { none: 0, read: 1, write: 2 } as const;

function level(workflow?: Permissions, job?: Permissions): CallLevel {
  return {
    workflow: workflow === undefined ? {} : { permissions: workflow },
    job: job === undefined ? {} : { permissions: job },
  };
}

describe("a job's token", () => {
  const cases: readonly {
    readonly name: string;
    readonly levels: readonly CallLevel[];
    readonly readOnly?: boolean;
    readonly want: Readonly<Record<string, PermissionLevel>>;
  }[] = [
    {
      name: "of a job that asks for nothing may write, but proves nothing to others",
      levels: [level()],
      want: { contents: "write", packages: "write", models: "read", "id-token": "none" },
    },
    {
      name: "of a job that says a word has only what is named",
      levels: [level(undefined, { contents: "read" })],
      want: { contents: "read", packages: "none", issues: "none" },
    },
    {
      name: "of a job wins over the workflow",
      levels: [level("write-all", { issues: "write" })],
      want: { contents: "none", issues: "write" },
    },
    { name: "of nobody", levels: [level({})], want: { contents: "none", packages: "none" } },
    { name: "of read-all reads", levels: [level("read-all")], want: { contents: "read", "id-token": "none" } },
    { name: "of write-all writes", levels: [level("write-all")], want: { contents: "write", "id-token": "write" } },
    {
      name: "of a called job has what its caller has",
      levels: [level({ contents: "read" }), level()],
      want: { contents: "read", packages: "none" },
    },
    {
      name: "of a called job may have less, never more",
      levels: [level({ contents: "read", issues: "write" }), level({ contents: "write", issues: "read" })],
      want: { contents: "read", issues: "read" },
    },
    {
      name: "for code of strangers only reads",
      levels: [level("write-all")],
      readOnly: true,
      want: { contents: "read", "id-token": "none", "copilot-requests": "none" },
    },
  ];
  for (const { name, levels, readOnly, want } of cases) {
    test(name, () => {
      const granted = jobPermissions(levels, readOnly);
      assert.deepEqual(Object.fromEntries(Object.keys(want).map((area) => [area, granted[area]])), want);
    });
  }

  test("of Forgejo's enable-openid-connect proves who the job is", () => {
    const open = { workflow: { openIdConnect: true }, job: {} };
    assert.equal(jobPermissions([open])["id-token"], "write");
    assert.equal(jobPermissions([open], true)["id-token"], "none");
    assert.equal(jobPermissions([{ ...open, job: { openIdConnect: false } }])["id-token"], "none");
  });

  test("grows by no call", () => {
    const areas = ["contents", "issues", "id-token", "packages"];
    const some: fc.Arbitrary<Permissions | undefined> = fc.option(
      fc.oneof(
        fc.constantFrom<Permissions>("read-all", "write-all"),
        fc.dictionary(fc.constantFrom(...areas), fc.constantFrom<PermissionLevel>("none", "read", "write")),
      ),
      { nil: undefined },
    );
    const levels = fc.array(fc.tuple(some, some), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(levels, some, some, (given, workflow, job) => {
        const above = given.map(([a, b]) => level(a, b));
        const before = jobPermissions(above);
        const after = jobPermissions([...above, level(workflow, job)]);
        const said = above.some((one) => (one.job.permissions ?? one.workflow.permissions) !== undefined);
        for (const area of areas) {
          const grew = rank[after[area] ?? "none"] > rank[before[area] ?? "none"];
          // Nobody said a word before: then a called workflow of the same server may ask to prove itself.
          assert.ok(!grew || (!said && area === "id-token"));
        }
      }),
    );
  });
});

test("what a called workflow asks for beyond its caller is told area by area", () => {
  assert.equal(excess({ contents: "read" }, { contents: "write" }), undefined);
  assert.equal(excess("write-all", undefined), undefined);
  assert.deepEqual(excess({ contents: "write", issues: "read" }, { contents: "read" }), {
    requested: "contents: write, issues: read",
    allowed: "contents: read, issues: none",
  });
  assert.equal(excess({ actions: "read" }, undefined, limitedDefault)?.allowed, "actions: none");
  assert.equal(
    Object.values(grantedBy({})).every((one) => one === "none"),
    true,
  );
});
