import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod, Secret } from "#api";
import { pullLogins } from "./pull-secrets.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const secret = (type: string, key: string, value: unknown): Secret => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: "s" },
  type,
  data: { [key]: base64(typeof value === "string" ? value : JSON.stringify(value)) },
});

const secrets: Record<string, Secret> = {
  login: secret("kubernetes.io/dockerconfigjson", ".dockerconfigjson", {
    auths: { "reg.test": { auth: base64("ada:pass:word") }, "other.test": { username: "bob", password: "p" } },
  }),
  old: secret("kubernetes.io/dockercfg", ".dockercfg", { "old.test": { auth: base64("eve:x") } }),
  broken: secret("kubernetes.io/dockerconfigjson", ".dockerconfigjson", "{"),
  plain: secret("Opaque", "password", "p"),
};

function logins(own: string[], accounts: string[] = []): ReturnType<typeof pullLogins> {
  const imagePullSecrets = own.map((name) => ({ name }));
  const pod: Pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web" },
    spec: { containers: [], imagePullSecrets },
  };
  const account = {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name: "default" },
    imagePullSecrets: accounts.map((name) => ({ name })),
  };
  return pullLogins(pod, account, (name) => secrets[name]);
}

test("a login stands in `auth`, or in its two fields", () => {
  assert.deepEqual(logins(["login"]).logins, [
    { registry: "reg.test", username: "ada", password: "pass:word" },
    { registry: "other.test", username: "bob", password: "p" },
  ]);
});

test("the older form is read too; what is no login gives none", () => {
  assert.deepEqual(logins(["old", "broken", "plain"]).logins, [
    { registry: "old.test", username: "eve", password: "x" },
  ]);
});

test("the account's secrets serve a pod that names none", () => {
  assert.equal(logins([], ["old"]).logins.length, 1);
  assert.deepEqual(
    logins(["login"], ["old"]).logins.map(({ registry }) => registry),
    ["reg.test", "other.test"],
  );
});

test("secrets that are not there are named", () => assert.deepEqual(logins(["gone", "old"]).missing, ["gone"]));
