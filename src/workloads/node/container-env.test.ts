import assert from "node:assert/strict";
import { test } from "node:test";
import type { Container, Pod } from "#api";
import { type ConfigSources, containerEnvironment, expand } from "./container-env.ts";

const pod: Pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web", namespace: "shop", uid: "u", labels: { app: "web" } },
  spec: { containers: [], nodeName: "local" },
};
const sources: ConfigSources = {
  configMap: (name) =>
    name === "settings"
      ? { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { LEVEL: "info", "not.a.name": "x" } }
      : undefined,
  secret: (name) =>
    name === "keys" ? { apiVersion: "v1", kind: "Secret", metadata: { name }, data: { token: "aHVzaA==" } } : undefined,
};

function environment(more: Partial<Container>): ReturnType<typeof containerEnvironment> {
  const container = { name: "app", image: "app:1", ...more };
  const place = { podIp: "127.0.0.1", hostIp: "127.0.0.1", allocatable: { cpu: "2", memory: "4Gi" } };
  const links = { DB_SERVICE_HOST: "db.shop.localhost" };
  return containerEnvironment({ pod, container, sources, place, links });
}

test("variables may use those before them, and the command may use all", () => {
  const result = environment({
    env: [
      { name: "HOST", value: "db" },
      { name: "URL", value: "http://$(HOST):$(PORT)/$$(HOST)" },
    ],
    command: ["run", "$(URL)"],
    args: ["$(UNKNOWN)"],
  });
  assert.ok(result.kind === "complete");
  const { env, command, args, skipped } = result.value;
  assert.deepEqual(
    { env, command, args, skipped },
    {
      env: { HOST: "db", URL: "http://db:$(PORT)/$(HOST)" },
      command: ["run", "http://db:$(PORT)/$(HOST)"],
      args: ["$(UNKNOWN)"],
      skipped: [],
    },
  );
});

test("values come from ConfigMaps, Secrets and the pod itself; env goes over envFrom", () => {
  const result = environment({
    envFrom: [{ configMapRef: { name: "settings" } }, { prefix: "K_", secretRef: { name: "keys" } }],
    env: [
      { name: "LEVEL", value: "debug" },
      { name: "TOKEN", valueFrom: { secretKeyRef: { name: "keys", key: "token" } } },
      { name: "ME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
      { name: "APP", valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
      { name: "NONE", valueFrom: { configMapKeyRef: { name: "none", key: "k", optional: true } } },
    ],
  });
  assert.deepEqual(result.kind === "complete" && result.value.env, {
    LEVEL: "debug",
    K_token: "hush",
    TOKEN: "hush",
    ME: "web",
    APP: "web",
  });
  assert.deepEqual(result.kind === "complete" && result.value.skipped, ["not.a.name"]);
});

const missing: { name: string; container: Partial<Container>; want: string }[] = [
  {
    name: "a ConfigMap",
    container: { envFrom: [{ configMapRef: { name: "none" } }] },
    want: 'configmap "none" not found',
  },
  { name: "a Secret", container: { envFrom: [{ secretRef: { name: "none" } }] }, want: 'secret "none" not found' },
  {
    name: "a key",
    container: { env: [{ name: "A", valueFrom: { configMapKeyRef: { name: "settings", key: "none" } } }] },
    want: "couldn't find key none in ConfigMap shop/settings",
  },
];
for (const { name, container, want } of missing) {
  test(`${name} that is missing is named`, () =>
    assert.deepEqual(environment(container), { kind: "missing", message: want }));
}

test("a value that came from a Secret is not expanded again", () => {
  assert.equal(expand("$(A)", { A: "$(B)", B: "x" }), "$(B)");
});
