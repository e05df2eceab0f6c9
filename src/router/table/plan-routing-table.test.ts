import assert from "node:assert/strict";
import { test } from "node:test";
import {
  podTemplateHashLabel,
  portMapAnnotation,
  serviceNameLabel,
  type Endpoint,
  type EndpointSlice,
  type Ingress,
  type Pod,
  type Service,
  type TrafficSplit,
} from "#api";
import { RouteMatcher } from "./match-route.ts";
import { planRoutingTable, type ObservedTraffic } from "./plan-routing-table.ts";
import { readTable } from "./read-table.ts";
import { endpointsOf, splitGenerations, type RoutingTable } from "./routing-table.ts";

type Conditions = NonNullable<Endpoint["conditions"]>;
const ready: Conditions = { ready: true, serving: true, terminating: false };
const unready: Conditions = { ready: false, serving: false, terminating: false };
const leaving: Conditions = { ready: false, serving: true, terminating: true };

interface PodSketch {
  readonly ip: string;
  readonly revision?: string;
  readonly conditions?: Conditions;
  readonly annotations?: Record<string, string>;
}

function service(name: string, ports: Service["spec"]["ports"] = [{ port: 80, targetPort: 8080 }]): Service {
  return { apiVersion: "v1", kind: "Service", metadata: { name, namespace: "shop" }, spec: { ports } };
}

function observe(pods: readonly PodSketch[], more: Partial<ObservedTraffic> = {}): ObservedTraffic {
  return {
    generation: 3,
    services: [service("web")],
    endpointSlices: pods.map((pod, index) => slice(pod, index)),
    pods: pods.map(({ revision, annotations }, index): Pod => {
      const labels = revision === undefined ? {} : { [podTemplateHashLabel]: revision };
      const metadata = {
        name: `web-${index}`,
        namespace: "shop",
        uid: `uid-${index}`,
        labels,
        annotations: annotations ?? {},
      };
      return { apiVersion: "v1", kind: "Pod", metadata, spec: { containers: [] } };
    }),
    ingresses: [],
    trafficSplits: [],
    ...more,
  };
}

function slice({ ip, conditions = ready }: PodSketch, index: number): EndpointSlice {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: `web-${index}`, namespace: "shop", labels: { [serviceNameLabel]: "web" } },
    addressType: "IPv4",
    ports: [{ port: 8080 }],
    endpoints: [{ addresses: [ip], conditions, targetRef: { kind: "Pod", name: `web-${index}`, uid: `uid-${index}` } }],
  };
}

function split(weights: Record<string, number>, name = "web"): TrafficSplit {
  return {
    apiVersion: "tidegate.dev/v1alpha1",
    kind: "TrafficSplit",
    metadata: { name, namespace: "shop", generation: 4 },
    spec: { weights: Object.entries(weights).map(([podTemplateHash, weight]) => ({ podTemplateHash, weight })) },
  };
}

/** `{ revision or "*": "weight: address, address" }` of the service `web`. */
function shares(table: RoutingTable): Record<string, string> {
  const backend = table.backends.find((candidate) => candidate.key === "shop/web:80");
  return Object.fromEntries(
    (backend?.groups ?? []).map((group) => [
      group.key,
      `${group.weight}: ${group.endpoints.map((endpoint) => endpoint.ip).join(", ")}`,
    ]),
  );
}

const [a1, a2, b1] = ["10.0.0.1", "10.0.0.2", "10.0.0.3"];
const shareCases: { name: string; pods: PodSketch[]; splits?: TrafficSplit[]; want: Record<string, string> }[] = [
  {
    name: "without a split all ready endpoints share alike",
    pods: [
      { ip: b1, revision: "b" },
      { ip: a1, revision: "a" },
      { ip: a2, conditions: unready },
    ],
    want: { "*": `1: ${a1}, ${b1}` },
  },
  {
    name: "an endpoint without conditions is ready",
    pods: [{ ip: a1, conditions: {} }],
    want: { "*": `1: ${a1}` },
  },
  {
    name: "an endpoint that leaves but still serves is used only when none is ready",
    pods: [
      { ip: a1, conditions: leaving },
      { ip: a2, conditions: unready },
    ],
    want: { "*": `1: ${a1}` },
  },
  {
    name: "an endpoint that leaves gets nothing while another is ready",
    pods: [{ ip: a1, conditions: leaving }, { ip: a2 }],
    want: { "*": `1: ${a2}` },
  },
  {
    name: "a split gives each revision its weight whatever the number of its pods",
    pods: [
      { ip: a1, revision: "a" },
      { ip: a2, revision: "a" },
      { ip: b1, revision: "b" },
    ],
    splits: [split({ a: 90, b: 10 })],
    want: { a: `90: ${a1}, ${a2}`, b: `10: ${b1}` },
  },
  {
    name: "the weight of a revision without a ready endpoint falls to the others",
    pods: [
      { ip: a1, revision: "a" },
      { ip: b1, revision: "b", conditions: unready },
    ],
    splits: [split({ a: 10, b: 90 })],
    want: { a: `10: ${a1}` },
  },
  {
    name: "a leaving endpoint of one revision does not keep its weight from a ready one of another",
    pods: [
      { ip: a1, revision: "a", conditions: leaving },
      { ip: b1, revision: "b" },
    ],
    splits: [split({ a: 90, b: 10 })],
    want: { b: `10: ${b1}` },
  },
  {
    name: "a revision that the split does not name gets nothing while the split stands",
    pods: [{ ip: a1, revision: "a" }, { ip: a2 }, { ip: b1, revision: "old" }],
    splits: [split({ a: 100 })],
    want: { a: `100: ${a1}` },
  },
  {
    name: "weight 0 gets nothing while a weighted revision has an endpoint",
    pods: [
      { ip: a1, revision: "a" },
      { ip: b1, revision: "b" },
    ],
    splits: [split({ a: 100, b: 0 })],
    want: { a: `100: ${a1}` },
  },
  {
    name: "weight 0 is served when no weighted revision has an endpoint here, as behind a canary Service",
    pods: [{ ip: b1, revision: "b" }],
    splits: [split({ a: 100, b: 0 })],
    want: { b: `1: ${b1}` },
  },
  {
    name: "a split that names other pods does not concern this service",
    pods: [{ ip: a1, revision: "a" }, { ip: b1 }],
    splits: [split({ x: 50, y: 50 })],
    want: { "*": `1: ${a1}, ${b1}` },
  },
  {
    name: "a split stands although the only pods it names are not ready",
    pods: [
      { ip: a1, revision: "a", conditions: unready },
      { ip: b1, revision: "old" },
    ],
    splits: [split({ a: 100 })],
    want: {},
  },
  {
    name: "weights that make no sense count as 0",
    pods: [
      { ip: a1, revision: "a" },
      { ip: b1, revision: "b" },
    ],
    splits: [split({ a: -5, b: 30 })],
    want: { b: `30: ${b1}` },
  },
];

for (const { name, pods, splits = [], want } of shareCases)
  test(name, () => {
    const table = planRoutingTable(observe(pods, { trafficSplits: splits }));
    assert.deepEqual(shares(table), want);
    assert.deepEqual(readTable(JSON.parse(JSON.stringify(table))), table);
  });

test("pods that are processes are reached on the port they really have", () => {
  const mapped = { [portMapAnnotation]: '{"8080":40123}' };
  const broken = { [portMapAnnotation]: "{" };
  const table = planRoutingTable(
    observe([
      { ip: a1, annotations: mapped },
      { ip: a2, annotations: broken },
    ]),
  );
  assert.deepEqual(endpointsOf(table), [`${a1}:40123`, `${a2}:8080`]);
});

test("an endpoint in two slices counts once, and what is no address not at all", () => {
  const observed = observe([{ ip: a1, conditions: unready }, { ip: "pod.example.com" }]);
  const twice = { ...slice({ ip: a1 }, 0), metadata: { ...slice({ ip: a1 }, 0).metadata, name: "web-again" } };
  const table = planRoutingTable({ ...observed, endpointSlices: [...observed.endpointSlices, twice] });
  assert.deepEqual(shares(table), { "*": `1: ${a1}` });
});

test("a table says which splits it obeys", () => {
  const table = planRoutingTable(observe([], { trafficSplits: [split({ a: 100 })] }));
  assert.deepEqual(splitGenerations(table), [{ namespace: "shop", name: "web", generation: 4 }]);
});

function ingress(name: string, spec: Ingress["spec"], created = "2026-01-01T00:00:00Z"): Ingress {
  const metadata = { name, namespace: "shop", creationTimestamp: created };
  return { apiVersion: "networking.k8s.io/v1", kind: "Ingress", metadata, spec };
}

function backend(name: string, number = 80): { service: { name: string; port: { number: number } } } {
  return { service: { name, port: { number } } };
}

type Path = NonNullable<NonNullable<NonNullable<Ingress["spec"]["rules"]>[number]["http"]>["paths"]>[number];

function path(path: string, to: string, pathType: Path["pathType"] = "Prefix"): Path {
  return { path, pathType, backend: backend(to) };
}

function matcher(ingresses: readonly Ingress[]): RouteMatcher {
  const services = ["web", "api", "cart", "rest"].map((name) => service(name));
  return new RouteMatcher(planRoutingTable(observe([], { services, ingresses })).hosts);
}

const routes = matcher([
  ingress("main", {
    rules: [
      {
        host: "Shop.example.com",
        http: {
          paths: [path("/", "web"), path("/api", "api"), path("/api/cart/", "cart"), path("/api", "rest", "Exact")],
        },
      },
      { host: "*.example.com", http: { paths: [path("/", "rest")] } },
      { host: "typo.example.org", http: { paths: [path("/only", "web", "ImplementationSpecific")] } },
    ],
  }),
  ingress(
    "younger",
    { rules: [{ host: "shop.example.com", http: { paths: [path("/", "cart"), path("/new", "cart")] } }] },
    "2026-02-01T00:00:00Z",
  ),
  ingress("fallback", { defaultBackend: backend("cart") }),
  ingress("own", { rules: [{ host: "web.shop.localhost", http: { paths: [path("/api", "api")] } }] }),
]);

const matchCases: [host: string, path: string, want: string | undefined, rule: string][] = [
  ["shop.example.com", "/", "web", "the whole host by Prefix /"],
  ["SHOP.example.com.:8080", "/x", "web", "hosts without regard to case, port and the root's dot"],
  ["shop.example.com", "/api/", "api", "a Prefix with a slash behind it"],
  ["shop.example.com", "/apiary", "web", "a Prefix only by whole elements"],
  ["shop.example.com", "/api", "rest", "Exact before a Prefix of the same path"],
  ["shop.example.com", "/api/cart", "cart", "the longest Prefix, a slash at its end being nothing"],
  ["shop.example.com", "/new/x", "cart", "paths of another Ingress for the same host"],
  ["img.example.com", "/", "rest", "a wildcard for one label"],
  ["a.b.example.com", "/", "cart", "no wildcard for two labels, so the default backend"],
  ["example.com", "/", "cart", "no wildcard for no label"],
  ["typo.example.org", "/only/this", "web", "ImplementationSpecific as Prefix"],
  ["typo.example.org", "/else", "cart", "the default backend for a path nobody names"],
  ["web.shop.localhost:8080", "/", "web", "a Service by its name"],
  ["web.shop.localhost", "/api/x", "api", "an Ingress before the Service's name"],
  ["api.shop.svc.cluster.local", "/", "api", "a Service by its cluster name"],
  ["[::1]:8080", "/", "cart", "an address literal as unknown host"],
];

for (const [host, path, want, rule] of matchCases)
  test(`routing takes ${rule}`, () => {
    assert.equal(routes.match(host, path), want === undefined ? undefined : `shop/${want}:80`);
  });

test("without a default backend unknown hosts lead nowhere", () => {
  assert.equal(matcher([]).match("elsewhere.example.com", "/"), undefined);
});

test("an Ingress to a port or Service that does not exist has a route without endpoints", () => {
  const table = planRoutingTable(
    observe([{ ip: a1 }], {
      ingresses: [
        ingress("x", { defaultBackend: backend("web", 81) }),
        ingress("y", { defaultBackend: backend("gone") }),
      ],
    }),
  );
  const groups = Object.fromEntries(table.backends.map(({ key, groups }) => [key, groups.length]));
  assert.deepEqual(groups, { "shop/gone:80": 0, "shop/web:80": 1, "shop/web:81": 0 });
});

test("a Service of several ports is reached by its port named http", () => {
  const services = [
    service("web", [
      { name: "metrics", port: 9090 },
      { name: "http", port: 80 },
    ]),
  ];
  const table = planRoutingTable(observe([], { services }));
  assert.deepEqual(table.hosts[0]?.paths, [{ path: "/", type: "Prefix", backend: "shop/web:80" }]);
});

test("pods with a name below a headless service are reached by it, whatever the others", () => {
  const headless = { ...service("web"), spec: { ...service("web").spec, clusterIP: "None" } };
  const named = [slice({ ip: a1 }, 0), slice({ ip: a2, conditions: leaving }, 1)].map((one, index) => ({
    ...one,
    endpoints: one.endpoints.map((endpoint) => ({ ...endpoint, hostname: `db-${index}` })),
  }));
  const table = planRoutingTable({ ...observe([{ ip: a1 }, { ip: a2 }]), services: [headless], endpointSlices: named });
  const backendOf = (host: string): string[] | undefined => {
    const key = table.hosts.find((route) => route.host === host)?.paths[0]?.backend;
    const found = table.backends.find((candidate) => candidate.key === key);
    return found?.groups.flatMap(({ endpoints }) => endpoints.map(({ ip }) => ip));
  };
  assert.deepEqual(backendOf("db-0.web.shop.localhost"), [a1]);
  assert.deepEqual(backendOf("db-1.web.shop.svc.cluster.local"), []);
  assert.deepEqual(backendOf("web.shop.localhost"), [a1]);
  assert.deepEqual(readTable(JSON.parse(JSON.stringify(table))), table);
});
