import assert from "node:assert/strict";
import { test } from "node:test";
import { type EndpointSlice, type Pod, portMapAnnotation, type Service } from "#api";
import { planSlices, type SliceAction } from "./plan-slices.ts";

const service: Service = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "web", namespace: "default", uid: "s" },
  spec: { selector: { app: "web" }, ports: [{ name: "http", port: 80, targetPort: "http" }] },
};

function podOf(
  name: string,
  hostPort: number,
  more: { ready?: boolean; ending?: boolean; phase?: "Running" | "Failed"; app?: string } = {},
): Pod {
  const { ready = true, ending = false, phase = "Running", app = "web" } = more;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: "default",
      uid: `uid-${name}`,
      labels: { app },
      annotations: { [portMapAnnotation]: JSON.stringify({ 8080: hostPort }) },
      ...(ending ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}),
    },
    spec: {
      nodeName: "local",
      containers: [{ name: "app", image: "i", ports: [{ name: "http", containerPort: 8080 }] }],
    },
    status: { phase, podIP: "127.0.0.1", conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
  };
}

/** `create web 20001: a ready serving` */
function said(actions: readonly SliceAction[]): string[] {
  return actions.map(({ kind, slice }) => {
    const endpoints = slice.endpoints.map(({ targetRef, conditions = {} }) =>
      [targetRef?.name, ...Object.entries(conditions).flatMap(([name, value]) => (value ? [name] : []))].join(" "),
    );
    return `${kind} ${slice.ports?.map(({ port }) => port).join(",")}: ${endpoints.join("; ")}`;
  });
}

function plan(pods: readonly Pod[], slices: readonly EndpointSlice[] = [], of: Service = service): SliceAction[] {
  return planSlices({ service: of, pods, slices });
}

function made(pods: readonly Pod[]): EndpointSlice[] {
  return plan(pods).map(({ slice }) => slice);
}

const cases: { name: string; given: () => SliceAction[]; want: string[] }[] = [
  {
    name: "pods with ports of their own have a slice each",
    given: () => plan([podOf("a", 20001), podOf("b", 20002)]),
    want: ["create 20001: a ready serving", "create 20002: b ready serving"],
  },
  {
    name: "pods with the same ports share one",
    given: () => plan([podOf("b", 8080), podOf("a", 8080)]),
    want: ["create 8080: a ready serving; b ready serving"],
  },
  {
    name: "an unready pod is an endpoint that is not ready",
    given: () => plan([podOf("a", 1, { ready: false })]),
    want: ["create 1: a"],
  },
  {
    name: "a terminating pod is not ready, and serves on while its probe passes",
    given: () => plan([podOf("a", 1, { ending: true })]),
    want: ["create 1: a serving terminating"],
  },
  {
    name: "pods that ended or do not match are no endpoints",
    given: () => plan([podOf("a", 1, { phase: "Failed" }), podOf("b", 2, { app: "db" })]),
    want: [],
  },
  { name: "what is right is left alone", given: () => plan([podOf("a", 1)], made([podOf("a", 1)])), want: [] },
  {
    name: "a readiness that flips is an update of one slice",
    given: () => plan([podOf("a", 1), podOf("b", 2, { ready: false })], made([podOf("a", 1), podOf("b", 2)])),
    want: ["update 2: b"],
  },
  {
    name: "a pod that is gone takes its slice with it",
    given: () => plan([podOf("a", 1)], made([podOf("a", 1), podOf("b", 2)])),
    want: ["delete 2: b ready serving"],
  },
  {
    name: "not-ready addresses are published where a service wants them",
    given: () =>
      plan([podOf("a", 1, { ready: false })], [], {
        ...service,
        spec: { ...service.spec, publishNotReadyAddresses: true },
      }),
    want: ["create 1: a ready"],
  },
];
for (const { name, given, want } of cases) test(name, () => assert.deepEqual(said(given()), want));

test("a slice is named after service and ports, and belongs to the service", () => {
  const [first] = made([podOf("a", 1)]);
  const [again] = made([podOf("b", 1)]);
  assert.equal(first?.metadata.name, again?.metadata.name);
  assert.equal(first?.metadata.labels?.["kubernetes.io/service-name"], "web");
  assert.equal(first?.metadata.ownerReferences?.[0]?.uid, "s");
});
