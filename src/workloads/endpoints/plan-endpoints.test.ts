import assert from "node:assert/strict";
import { test } from "node:test";
import { type Endpoints, type EndpointSlice, type Pod, portMapAnnotation, type Service } from "#api";
import { planEndpoints } from "./plan-endpoints.ts";
import { planMirror } from "./plan-mirror.ts";
import { planSlices } from "./plan-slices.ts";

function serviceOf(spec: Partial<Service["spec"]> = {}): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web", namespace: "default", uid: "s", labels: { team: "a" } },
    spec: { selector: { app: "web" }, ports: [{ port: 80, targetPort: 8080 }], ...spec },
  };
}

interface Traits {
  readonly ready?: boolean;
  readonly going?: boolean;
  readonly hostPort?: number;
  readonly hostname?: string;
}

function podOf(name: string, { ready = true, going = false, hostPort, hostname }: Traits = {}): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: "default",
      uid: `uid-${name}`,
      labels: { app: "web" },
      ...(hostPort === undefined ? {} : { annotations: { [portMapAnnotation]: JSON.stringify({ 8080: hostPort }) } }),
      ...(going ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}),
    },
    spec: { containers: [], ...(hostname === undefined ? {} : { hostname, subdomain: "web" }) },
    status: { phase: "Running", podIP: "10.0.0.1", conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
  };
}

/** `8080: a ready; b not ready` */
function said(endpoints: Endpoints | undefined): string[] {
  return (endpoints?.subsets ?? []).map(({ addresses = [], notReadyAddresses = [], ports = [] }) => {
    const words = [
      ...addresses.map(
        ({ targetRef, hostname }) => `${targetRef?.name} ready${hostname === undefined ? "" : ` as ${hostname}`}`,
      ),
      ...notReadyAddresses.map(({ targetRef }) => `${targetRef?.name} not ready`),
    ];
    return `${ports.map(({ port }) => port).join(",")}: ${words.join("; ")}`;
  });
}

const written: Endpoints = {
  apiVersion: "v1",
  kind: "Endpoints",
  metadata: { name: "web", namespace: "default", uid: "e" },
  subsets: [{ addresses: [{ ip: "192.0.2.7" }], notReadyAddresses: [{ ip: "2001:db8::1" }], ports: [{ port: 5432 }] }],
};

const cases: { name: string; service?: Partial<Service["spec"]>; pods: Pod[]; want: string[] }[] = [
  {
    name: "ready and unready pods stand apart",
    pods: [podOf("b", { ready: false }), podOf("a")],
    want: ["8080: a ready; b not ready"],
  },
  {
    name: "pods with ports of their own have subsets of their own",
    pods: [podOf("a", { hostPort: 20001 }), podOf("b", { hostPort: 20002 })],
    want: ["20001: a ready", "20002: b ready"],
  },
  { name: "a pod on its way out is not listed", pods: [podOf("a", { going: true })], want: [] },
  {
    name: "unless those that are not ready are asked for too",
    service: { publishNotReadyAddresses: true },
    pods: [podOf("a", { going: true, ready: false })],
    want: ["8080: a ready"],
  },
  {
    name: "a pod of a headless service has its name",
    service: { clusterIP: "None" },
    pods: [podOf("db-0", { hostname: "db-0" })],
    want: ["8080: db-0 ready as db-0"],
  },
];

for (const { name, service, pods, want } of cases) {
  test(`Endpoints: ${name}`, () => {
    const action = planEndpoints(serviceOf(service), pods, undefined);
    assert.equal(action?.kind, "create");
    assert.deepEqual(said(action?.endpoints), want);
    assert.equal(planEndpoints(serviceOf(service), pods, action?.endpoints), undefined, "doing it once is enough");
  });
}

test("Endpoints written by hand are left alone where the service selects nothing", () => {
  assert.equal(planEndpoints(serviceOf({ selector: undefined as never }), [], written), undefined);
});

test("Endpoints of ours go with their service, others' stay", () => {
  const ours = planEndpoints(serviceOf(), [podOf("a")], undefined)?.endpoints;
  assert.equal(planEndpoints(undefined, [], ours)?.kind, "delete");
  assert.equal(planEndpoints(undefined, [], written), undefined);
});

test("Endpoints written by hand are mirrored into slices, one an address family", () => {
  const service = serviceOf({ selector: undefined as never });
  const actions = planMirror({ service, endpoints: written, slices: [] });
  assert.deepEqual(
    actions.map(({ kind, slice }) => [kind, slice.addressType, slice.endpoints, slice.ports]),
    [
      [
        "create",
        "IPv4",
        [{ addresses: ["192.0.2.7"], conditions: { ready: true } }],
        [{ name: "", port: 5432, protocol: "TCP" }],
      ],
      [
        "create",
        "IPv6",
        [{ addresses: ["2001:db8::1"], conditions: { ready: false } }],
        [{ name: "", port: 5432, protocol: "TCP" }],
      ],
    ],
  );
  const slices = actions.map(({ slice }) => slice);
  assert.deepEqual(planMirror({ service, endpoints: written, slices }), []);
  assert.deepEqual(
    planMirror({ service: serviceOf(), endpoints: written, slices }).map(({ kind }) => kind),
    ["delete", "delete"],
  );
});

test("what asks not to be mirrored is not", () => {
  const service = serviceOf({ selector: undefined as never });
  const metadata = { ...written.metadata, labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } };
  assert.deepEqual(planMirror({ service, endpoints: { ...written, metadata }, slices: [] }), []);
});

test("a slice holds a hundred endpoints, and one that goes changes one slice", () => {
  const pods = Array.from({ length: 250 }, (_, index) => podOf(`p${String(index).padStart(3, "0")}`));
  const slices: EndpointSlice[] = planSlices({ service: serviceOf(), pods, slices: [] }).map(({ slice }) => slice);
  assert.deepEqual(
    slices.map(({ endpoints }) => endpoints.length),
    [100, 100, 50],
  );

  const after = planSlices({ service: serviceOf(), pods: pods.slice(1), slices });
  assert.deepEqual(
    after.map(({ kind, slice }) => [kind, slice.endpoints.length]),
    [["update", 99]],
  );

  const grown = planSlices({ service: serviceOf(), pods: [...pods, podOf("another")], slices });
  assert.deepEqual(
    grown.map(({ kind, slice }) => [kind, slice.endpoints.length]),
    [["update", 51]],
  );
});
