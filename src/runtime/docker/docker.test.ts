import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContainerSecurity, ContainerSpec } from "../pod-runtime.ts";
import { containerRequest, sandboxRequest } from "./container-request.ts";
import { pauseProgram, registryAuthOf, splitReference } from "#engine";
import type { EngineContainer } from "./engine-types.ts";
import { workingSet } from "./engine-usage.ts";
import { containerLabels, recordOf } from "./labels.ts";
import { needsPublishedPorts } from "./reachability.ts";

const pod = { uid: "6ad4f3c8", namespace: "default", name: "web-abc" };
const spec: ContainerSpec = {
  pod,
  name: "app",
  attempt: 2,
  image: { reference: "registry.test/app:1", digest: "sha256:aa", fetched: false },
  env: { A: "b" },
  ports: [{ containerPort: 8080 }],
  network: { ip: "10.0.0.2", ports: { 8080: 8080 } },
  mounts: [],
  labels: { streak: "1" },
};
const security: ContainerSecurity = {
  privileged: false,
  runAsUser: 1,
  runAsGroup: 2,
  runAsNonRoot: true,
  groups: [3],
  fsGroup: 4,
  readOnlyRootFilesystem: true,
  allowPrivilegeEscalation: false,
  addCapabilities: ["NET_ADMIN"],
  dropCapabilities: ["ALL"],
  seccomp: "Unconfined",
};
const input = {
  installation: "i",
  image: "tidegate.local/image:aa",
  sandbox: "s",
  mounts: [],
  messageFile: "/m",
  allowPrivileged: false,
};

test("a container shares its sandbox's network, and has the limits and rights of its spec", () => {
  const request = containerRequest({
    ...input,
    spec: { ...spec, security, limits: { cpuMillis: 250, memoryBytes: 64 } },
  });
  const host = request["HostConfig"] as Record<string, unknown>;
  assert.equal(request["User"], "1:2");
  assert.deepEqual(request["Env"], ["HOSTNAME=web-abc", "PORT=8080", "A=b"]);
  const wanted = {
    NetworkMode: "container:s",
    NanoCpus: 250_000_000,
    Memory: 64,
    MemorySwap: 64,
    ReadonlyRootfs: true,
    GroupAdd: ["3", "4"],
    CapAdd: ["NET_ADMIN"],
    CapDrop: ["ALL"],
    SecurityOpt: ["no-new-privileges", "seccomp=unconfined"],
  };
  for (const [name, value] of Object.entries(wanted)) assert.deepEqual(host[name], value, name);
});

test("command replaces ENTRYPOINT and drops CMD, args replace CMD", () => {
  const of = (more: Partial<ContainerSpec>): unknown[] => {
    const { Entrypoint, Cmd } = containerRequest({ ...input, spec: { ...spec, ...more } });
    return [Entrypoint, Cmd];
  };
  assert.deepEqual(of({}), [undefined, undefined]);
  assert.deepEqual(of({ args: ["x"] }), [undefined, ["x"]]);
  assert.deepEqual(of({ command: ["a"] }), [["a"], []]);
  assert.deepEqual(of({ command: ["a"], args: ["x"] }), [["a"], ["x"]]);
});

test("privileged is refused unless the node allows it", () => {
  const privileged = { ...spec, security: { ...security, privileged: true } };
  assert.throws(() => containerRequest({ ...input, spec: privileged }), /TIDEGATE_ALLOW_PRIVILEGED/);
  const request = containerRequest({ ...input, spec: privileged, allowPrivileged: true });
  assert.equal((request["HostConfig"] as Record<string, unknown>)["Privileged"], true);
});

test("a pod that wants the machine's network gets no name and publishes nothing", () => {
  const sandbox = { pod, ports: [80], hostNetwork: true };
  const request = sandboxRequest({ installation: "i", sandbox, network: "host", publish: true });
  assert.equal((request["HostConfig"] as Record<string, unknown>)["NetworkMode"], "host");
  assert.deepEqual([request["Hostname"], request["ExposedPorts"]], [undefined, undefined]);
});

const engineState = {
  Running: false,
  Status: "exited",
  ExitCode: 3,
  StartedAt: "2026-01-01T00:00:00.5Z",
  FinishedAt: "2026-01-01T00:00:01Z",
};
function found(State: EngineContainer["State"]): EngineContainer {
  return { Id: "x", Name: "/x", State, Config: { Labels: containerLabels("i", spec) }, NetworkSettings: {} };
}

test("a container is known again by its labels", () => {
  const record = recordOf(found(engineState));
  assert.equal(record?.id, "6ad4f3c8_app_2");
  assert.deepEqual(record?.labels, { streak: "1" });
  assert.deepEqual(record?.state.kind === "exited" && [record.state.exitCode, record.state.witnessed], [3, true]);
});

test("one that was made and never started is none, and one that the engine lost is a stand-in", () => {
  assert.equal(recordOf(found({ ...engineState, Status: "created", StartedAt: "0001-01-01T00:00:00Z" })), undefined);
  const lost = recordOf(found({ ...engineState, ExitCode: -1 }))?.state;
  assert.deepEqual(lost?.kind === "exited" && [lost.exitCode, lost.witnessed], [137, false]);
});

const references: [string, string, string][] = [
  ["127.0.0.1:7070/acme/web:v1", "127.0.0.1:7070/acme/web", "v1"],
  ["127.0.0.1:7070/acme/web", "127.0.0.1:7070/acme/web", "latest"],
  ["nginx@sha256:ab", "nginx", "sha256:ab"],
  ["host:1/app:2@sha256:ab", "host:1/app", "sha256:ab"],
];
for (const [reference, repository, tag] of references) {
  test(`"${reference}" is pulled as "${repository}" and "${tag}"`, () => {
    assert.deepEqual(splitReference(reference), { repository, tag });
  });
}

test("credentials go in one header, for the registry of the image", () => {
  const header = registryAuthOf("127.0.0.1:7070/acme/web:v1", {
    username: "u",
    password: "p",
  });
  const text = Buffer.from(header, "base64url").toString("utf8");
  assert.deepEqual(JSON.parse(text), { username: "u", password: "p", serveraddress: "127.0.0.1:7070" });
  // In whole groups, whatever the lengths, and without what means something else in a header's base64.
  for (const password of ["?", "??", "???", "~~~~~~"]) {
    assert.match(
      registryAuthOf("h:1/a", { username: "u", password }),
      /^(?:[\w-]{4})*(?:[\w-]{4}|[\w-]{3}=|[\w-]{2}==)$/,
    );
  }
});

test("memory counts without what the kernel can take back, in both versions of control groups", () => {
  assert.equal(workingSet({ memory_stats: { usage: 100, stats: { inactive_file: 30 } } }), 70);
  assert.equal(workingSet({ memory_stats: { usage: 100, stats: { total_inactive_file: 20 } } }), 80);
  assert.equal(workingSet({}), 0);
});

test("ports are published where the engine's own network cannot be reached", () => {
  const socket = { kind: "socket", path: "/s" } as const;
  assert.equal(needsPublishedPorts(socket, { SecurityOptions: ["name=seccomp"] }, "linux"), false);
  assert.equal(needsPublishedPorts(socket, { SecurityOptions: ["name=rootless"] }, "linux"), true);
  assert.equal(needsPublishedPorts(socket, { OperatingSystem: "Docker Desktop" }, "linux"), true);
  assert.equal(needsPublishedPorts(socket, {}, "darwin"), true);
});

test("the sandbox's program is an ELF file for the machine, where the machine is known", () => {
  for (const [architecture, machine] of [
    ["x64", 62],
    ["arm64", 183],
  ] as const) {
    const program = pauseProgram(architecture);
    assert.equal(program?.readUInt16LE(18), machine);
    assert.equal(program?.readBigUInt64LE(96), BigInt(program?.length ?? 0));
  }
  assert.equal(pauseProgram("mips"), undefined);
});
