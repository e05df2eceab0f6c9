import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContainerSpec } from "../pod-runtime.ts";
import type { ImageConfig } from "../ports.ts";
import { confinedLinkTarget, treeParts } from "../image/tree-path.ts";
import { containerArgv, interpreterOf } from "./command-line.ts";
import { timeOf } from "./container-log.ts";
import { containerEnvironment } from "./environment.ts";
import { stopSignalOf } from "./stop-signal.ts";

const image: ImageConfig = { Entrypoint: ["/entry"], Cmd: ["serve"] };

const commands: { name: string; spec: { command?: string[]; args?: string[] }; want: string[] }[] = [
  { name: "without command and args the image decides", spec: {}, want: ["/entry", "serve"] },
  { name: "args replace CMD", spec: { args: ["x"] }, want: ["/entry", "x"] },
  { name: "command replaces ENTRYPOINT and drops CMD", spec: { command: ["a", "b"] }, want: ["a", "b"] },
  { name: "command and args stand alone", spec: { command: ["a"], args: ["x"] }, want: ["a", "x"] },
];
for (const { name, spec, want } of commands) test(name, () => assert.deepEqual(containerArgv(image, spec), want));

test("a script's first line names its interpreter", () => {
  assert.deepEqual(interpreterOf(Buffer.from("#!/usr/bin/env -S node --flag\nx")), {
    kind: "script",
    path: "/usr/bin/env",
    argument: "-S node --flag",
  });
  assert.equal(interpreterOf(Buffer.from("plain text")), undefined);
});

test("a dynamic program names its loader", () => {
  const head = Buffer.alloc(256);
  head.writeUInt32BE(0x7f454c46, 0);
  head.writeUInt8(2, 4);
  head.writeUInt8(1, 5);
  head.writeBigUInt64LE(64n, 32);
  head.writeUInt16LE(56, 54);
  head.writeUInt16LE(1, 56);
  head.writeUInt32LE(3, 64);
  head.writeBigUInt64LE(200n, 72);
  head.writeBigUInt64LE(28n, 96);
  head.write("/lib/ld-musl-x86_64.so.1\0", 200);
  assert.deepEqual(interpreterOf(head), { kind: "loader", path: "/lib/ld-musl-x86_64.so.1" });
});

const links: { name: string; at: string; target: string; want: string }[] = [
  {
    name: "an absolute link is made relative",
    at: "usr/bin/python3",
    target: "/usr/bin/python3.11",
    want: "python3.11",
  },
  {
    name: "a link that climbs over the root stays in the tree",
    at: "etc/x",
    target: "../../../../host",
    want: "../host",
  },
  { name: "a link to the root is one to the tree", at: "a/b", target: "/", want: ".." },
  { name: "a harmless link stays as it is", at: "lib/a.so", target: "a.so.1", want: "a.so.1" },
];
for (const { name, at, target, want } of links) {
  test(name, () => assert.equal(confinedLinkTarget(treeParts(at), target), want));
}

const spec: ContainerSpec = {
  pod: { uid: "u", namespace: "default", name: "web" },
  name: "app",
  attempt: 0,
  image: { reference: "r", digest: "d", fetched: false },
  env: {},
  ports: [{ containerPort: 8080 }],
  network: { ip: "127.0.0.1", ports: { 8080: 20100, 9090: 20101 } },
  mounts: [],
  labels: {},
};

function environmentOf(env: Record<string, string>, imageEnv: string[] = []): Record<string, string> {
  return containerEnvironment({
    spec: { ...spec, env },
    image: { Env: imageEnv },
    folder: "/f",
    tree: "/t",
    home: "/h",
    temporary: "/tmp",
    hostPath: "/host/bin",
    programFrom: "host",
  });
}

const ports: { name: string; env: Record<string, string>; image?: string[]; variable: string; want: string }[] = [
  { name: "PORT is the port to listen on", env: {}, variable: "PORT", want: "20100" },
  { name: "a PORT that names a declared port is mapped", env: { PORT: "9090" }, variable: "PORT", want: "20101" },
  { name: "a PORT of the image is too", env: {}, image: ["PORT=8080"], variable: "PORT", want: "20100" },
  { name: "a PORT that names none is replaced", env: { PORT: "3000" }, variable: "PORT", want: "20100" },
  { name: "so are others that end in _PORT", env: { METRICS_PORT: "9090" }, variable: "METRICS_PORT", want: "20101" },
  { name: "but not ports of other hosts", env: { DB_PORT: "5432" }, variable: "DB_PORT", want: "5432" },
  {
    name: "programs of the host come first where the image's cannot run",
    env: {},
    image: ["PATH=/bin"],
    variable: "PATH",
    want: "/host/bin:/t/bin",
  },
  { name: "HOME is the pod's own", env: {}, image: ["HOME=/root"], variable: "HOME", want: "/h" },
];
for (const { name, env, image: imageEnv = [], variable, want } of ports) {
  test(name, () => assert.equal(environmentOf(env, imageEnv)[variable], want));
}

test("a byte of the log was seen at the last stamp before it", () => {
  const stamps = [
    { offset: 0, atMs: 1 },
    { offset: 10, atMs: 2 },
    { offset: 30, atMs: 3 },
  ];
  assert.deepEqual(
    [0, 9, 10, 29, 30, 99].map((offset) => timeOf(stamps, offset)),
    [1, 1, 2, 2, 3, 3],
  );
});

test("a stop signal is a name or a number", () => {
  assert.deepEqual(["SIGQUIT", "quit", "3", undefined, "NONSENSE"].map(stopSignalOf), [
    "SIGQUIT",
    "SIGQUIT",
    "SIGQUIT",
    "SIGTERM",
    "SIGTERM",
  ]);
});
