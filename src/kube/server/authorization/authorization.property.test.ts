import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type PolicyRule, rbacGroup, type Subject } from "#api";
import { ClockFake } from "#lib/testing";
import { ObjectStore } from "../../store/object-store.ts";
import { serviceAccountUserName } from "../authentication/user.ts";
import type { Attributes } from "./attributes.ts";
import { Authorizer } from "./authorizer.ts";
import { ruleAllows, wholeRule } from "./policy-rule.ts";
import { uncovered } from "./rule-cover.ts";

const verbs = ["get", "list", "delete"];
const groups = ["", "apps"];
const things = ["pods", "pods/log", "scales", "scales/log"];
const names = ["", "web", "db"];
const namespaces = ["", "team", "other"];

/** Everything that can be asked in a world this small. */
const questions: readonly Attributes[] = [
  ...verbs.flatMap((verb) =>
    groups.flatMap((group) =>
      things.flatMap((thing) =>
        names.flatMap((name) =>
          namespaces.map((namespace): Attributes => {
            const [resource = "", subresource = ""] = thing.split("/");
            return { kind: "resource", verb, group, resource, subresource, namespace, name };
          }),
        ),
      ),
    ),
  ),
  ...verbs.flatMap((verb) => ["/a", "/a/b", "/c"].map((path): Attributes => ({ kind: "path", verb, path }))),
];

const some = (values: readonly string[], minLength = 1): fc.Arbitrary<string[]> =>
  fc.uniqueArray(fc.constantFrom(...values), { minLength, maxLength: 2 });

const resourceRule = fc.record({
  verbs: some([...verbs, "*"]),
  apiGroups: some([...groups, "*"]),
  resources: some([...things, "*", "*/log"]),
  resourceNames: some(["web", "db"], 0),
});
const pathRule = fc.record({ verbs: some([...verbs, "*"]), nonResourceURLs: some(["/a", "/a/*", "/a*", "*"]) });
const anyRule: fc.Arbitrary<PolicyRule> = fc.oneof(
  { weight: 4, arbitrary: resourceRule },
  { weight: 1, arbitrary: pathRule },
);

/** The meaning of a rule, spelled out: each list must have the very word or a star that stands for it. */
function says(rule: PolicyRule, asked: Attributes): boolean {
  const has = (list: readonly string[] | undefined, ...words: string[]): boolean =>
    (list ?? []).some((word) => words.includes(word));
  if (!has(rule.verbs, asked.verb, "*")) return false;
  if (asked.kind === "path") {
    const above = asked.path === "/a/b" ? ["/a/*", "/a*"] : asked.path === "/a" ? ["/a*"] : [];
    return has(rule.nonResourceURLs, asked.path, "*", ...above);
  }
  const thing = asked.subresource === "" ? [asked.resource] : [`${asked.resource}/${asked.subresource}`, "*/log"];
  const named = (rule.resourceNames ?? []).length === 0 || has(rule.resourceNames, asked.name);
  return has(rule.apiGroups, asked.group, "*") && has(rule.resources, "*", ...thing) && named;
}

test("a rule never allows more than it says, nor less", () => {
  fc.assert(
    fc.property(anyRule, (rule) => {
      const whole = wholeRule(rule);
      for (const asked of questions) assert.equal(ruleAllows(whole, asked), says(rule, asked), JSON.stringify(asked));
    }),
  );
});

test("whoever holds what covers a rule could do everything that the rule would allow", () => {
  fc.assert(
    fc.property(fc.array(anyRule, { maxLength: 4 }), anyRule, (held, asked) => {
      const [own, wanted] = [held.map(wholeRule), wholeRule(asked)];
      const given = questions.filter((question) => ruleAllows(wanted, question));
      const lacking = given.filter((question) => !own.some((rule) => ruleAllows(rule, question)));
      if (uncovered(own, [wanted]).length === 0) assert.deepEqual(lacking, []);
      // The other way round stars may ask for more than this small world has.
    }),
    { numRuns: 300 },
  );
});

const users = ["ada", "bob", serviceAccountUserName("team", "robot")];
const subject: fc.Arbitrary<Subject> = fc.oneof(
  fc.record({ kind: fc.constant("User"), name: fc.constantFrom("ada", "bob") }),
  fc.record({ kind: fc.constant("Group"), name: fc.constantFrom("dev", "system:serviceaccounts:team") }),
  fc.record({ kind: fc.constant("ServiceAccount"), name: fc.constant("robot") }),
  fc.record({ kind: fc.constant("ServiceAccount"), name: fc.constant("robot"), namespace: fc.constant("team") }),
);

interface Step {
  readonly write: boolean;
  readonly what: "role" | "binding";
  readonly name: string;
  readonly namespace: string;
  readonly roleKind: string;
  readonly rules: PolicyRule[];
  readonly subjects: Subject[];
}

const step: fc.Arbitrary<Step> = fc.record({
  write: fc.boolean(),
  what: fc.constantFrom("role", "binding"),
  name: fc.constantFrom("one", "two"),
  namespace: fc.constantFrom("", "team"),
  roleKind: fc.constantFrom("Role", "ClusterRole"),
  rules: fc.array(anyRule, { minLength: 1, maxLength: 2 }),
  subjects: fc.array(subject, { minLength: 1, maxLength: 2 }),
});

/** The answer by looking at every binding there is: slow, and plainly what upstream's documentation says. */
function scan(store: ObjectStore, user: { name: string; groups: readonly string[] }, asked: Attributes): boolean {
  const namespace = asked.kind === "resource" ? asked.namespace : "";
  const bindings = [
    ...store.list(`clusterrolebindings.${rbacGroup}`),
    ...(namespace === "" ? [] : store.list(`rolebindings.${rbacGroup}`, namespace)),
  ];
  return bindings.some((binding) => {
    const home = binding.metadata.namespace ?? "";
    const applies = (binding["subjects"] as Subject[]).some(({ kind, name, namespace: own = home }) => {
      if (kind === "Group") return user.groups.includes(name);
      return user.name === (kind === "User" ? name : own === "" ? undefined : serviceAccountUserName(own, name));
    });
    const ref = binding["roleRef"] as { kind: string; name: string };
    const [plural, place] = ref.kind === "Role" ? ["roles", home] : ["clusterroles", ""];
    const role = store.get({ resource: `${plural}.${rbacGroup}`, namespace: place, name: ref.name });
    return applies && ((role?.["rules"] ?? []) as PolicyRule[]).some((rule) => says(rule, asked));
  });
}

test("whatever roles and bindings come, change and go, the answers are those of looking at all of them", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
      using store = new ObjectStore({ file: ":memory:", clock: new ClockFake() });
      using authorizer = new Authorizer(store);
      for (const each of steps) take(store, each);
      // An authorizer that begins with what is there says the same as one that saw it come.
      using late = new Authorizer(store);
      for (const name of users) {
        const user = {
          name,
          groups: name === "bob" ? ["dev"] : name.includes(":") ? ["system:serviceaccounts:team"] : [],
        };
        for (const asked of questions) {
          const want = scan(store, user, asked);
          assert.equal(authorizer.authorize(user, asked).allowed, want, JSON.stringify({ user, asked }));
          assert.equal(late.authorize(user, asked).allowed, want);
        }
      }
    }),
    { numRuns: 60 },
  );
});

function take(store: ObjectStore, { write, what, name, namespace, roleKind, rules, subjects }: Step): void {
  const plural = `${namespace === "" ? "cluster" : ""}${what === "role" ? "roles" : "rolebindings"}`;
  const key = { resource: `${plural}.${rbacGroup}`, namespace, name };
  if (!write) {
    store.remove(key);
    return;
  }
  const content = what === "role" ? { rules } : { subjects, roleRef: { kind: roleKind, name, apiGroup: rbacGroup } };
  const metadata = { name, ...(namespace === "" ? {} : { namespace }) };
  store.put(key, { apiVersion: `${rbacGroup}/v1`, kind: "Any", metadata, ...content });
}
