import assert from "node:assert/strict";
import { test } from "node:test";
import type { Container, Pod } from "#api";
import { limitsOf, securityOf } from "./pod-security.ts";

function given(ofPod: Pod["spec"]["securityContext"], ofContainer: Container["securityContext"]): [Pod, Container] {
  const container: Container = {
    name: "app",
    image: "app",
    ...(ofContainer === undefined ? {} : { securityContext: ofContainer }),
  };
  const spec = { containers: [container], ...(ofPod === undefined ? {} : { securityContext: ofPod }) };
  return [{ apiVersion: "v1", kind: "Pod", metadata: { name: "web" }, spec }, container];
}

const plain = {
  privileged: false,
  runAsNonRoot: false,
  groups: [],
  readOnlyRootFilesystem: false,
  addCapabilities: [],
  dropCapabilities: [],
  seccomp: undefined,
};

test("who says nothing asks for nothing", () => {
  assert.deepEqual(securityOf(...given(undefined, {})), { kind: "complete", value: undefined });
  assert.deepEqual(securityOf(...given({}, { capabilities: {} })), { kind: "complete", value: undefined });
});

test("the container's word counts more than the pod's, field by field", () => {
  const result = securityOf(
    ...given(
      { runAsUser: 1, runAsGroup: 2, fsGroup: 3 },
      { runAsUser: 4, capabilities: { drop: ["all"], add: ["CAP_NET_ADMIN"] } },
    ),
  );
  const value = {
    ...plain,
    runAsUser: 4,
    runAsGroup: 2,
    fsGroup: 3,
    dropCapabilities: ["ALL"],
    addCapabilities: ["NET_ADMIN"],
  };
  assert.deepEqual(result, { kind: "complete", value });
});

const refused: {
  name: string;
  ofPod?: Record<string, unknown>;
  ofContainer?: Record<string, unknown>;
  want: string;
}[] = [
  {
    name: "labels of SELinux",
    ofPod: { seLinuxOptions: { level: "s0" } },
    want: "spec.securityContext.seLinuxOptions",
  },
  { name: "kernel parameters", ofPod: { sysctls: [{ name: "a", value: "1" }] }, want: "spec.securityContext.sysctls" },
  { name: "another view of /proc", ofContainer: { procMount: "Unmasked" }, want: "securityContext.procMount" },
  {
    name: "a filter from a file",
    ofContainer: { seccompProfile: { type: "Localhost" } },
    want: 'seccompProfile "Localhost"',
  },
];
for (const { name, ofPod, ofContainer, want } of refused) {
  test(`${name} is refused by name`, () => {
    const result = securityOf(...given(ofPod, ofContainer));
    assert.equal(result.kind, "missing");
    assert.ok(result.kind === "missing" && result.message.includes(want));
  });
}

test("limits are counted in thousandths of a processor and in bytes", () => {
  const resources = { limits: { cpu: "1500m", memory: "64Mi" } };
  assert.deepEqual(limitsOf({ name: "app", image: "app", resources }), { cpuMillis: 1500, memoryBytes: 67_108_864 });
  assert.equal(limitsOf({ name: "app", image: "app", resources: { requests: { cpu: "1" } } }), undefined);
});
