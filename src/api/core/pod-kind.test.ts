import assert from "node:assert/strict";
import { test } from "node:test";
import { deploymentKind } from "../apps/deployment-kind.ts";
import type { KindDefinition } from "../meta/kind.ts";
import type { AnyObject } from "../meta/object.ts";
import { ingressKind } from "../networking/ingress-kind.ts";
import { podDisplay } from "./pod-display.ts";
import { podKind } from "./pod-kind.ts";
import type { Pod } from "./pod.ts";
import { serviceKind } from "./service-kind.ts";

function objectOf(kind: KindDefinition, spec: unknown): AnyObject {
  const { type } = kind;
  const apiVersion = type.group === "" ? "v1" : `${type.group}/v1`;
  const object: AnyObject = { apiVersion, kind: type.kind, metadata: { name: "web", namespace: "default" }, spec };
  kind.setDefaults?.(object);
  kind.complete?.(object, undefined, { now: "2026-01-01T00:00:00Z", peers: () => [] });
  return object;
}

function problems(kind: KindDefinition, spec: unknown, old?: unknown): string[] {
  const found = kind.validate?.(objectOf(kind, spec), old === undefined ? undefined : objectOf(kind, old)) ?? [];
  return found.map(({ path, message }) => `${path}: ${message}`);
}

const container = { name: "app", image: "app:1" };
const template = { metadata: { labels: { app: "web" } }, spec: { containers: [container] } };
const selector = { matchLabels: { app: "web" } };
const backend = { service: { name: "web", port: { number: 80 } } };

test("a pod gets upstream's defaults", () => {
  const pod = objectOf(podKind, {
    containers: [
      { name: "app", image: "app", ports: [{ containerPort: 80 }], readinessProbe: { httpGet: { port: 80 } } },
    ],
  }) as unknown as Pod;
  assert.equal(pod.spec.restartPolicy, "Always");
  assert.equal(pod.spec.terminationGracePeriodSeconds, 30);
  assert.equal(pod.spec.containers[0]?.imagePullPolicy, "Always");
  assert.equal(pod.spec.containers[0]?.ports?.[0]?.protocol, "TCP");
  assert.deepEqual(pod.spec.containers[0]?.readinessProbe, {
    httpGet: { port: 80, path: "/", scheme: "HTTP" },
    timeoutSeconds: 1,
    periodSeconds: 10,
    successThreshold: 1,
    failureThreshold: 3,
  });
});

test("defaults put in twice are put in once", () => {
  for (const [kind, spec] of [
    [podKind, { containers: [container] }],
    [deploymentKind, { selector, template }],
    [serviceKind, { ports: [{ port: 80 }] }],
  ] as const) {
    const once = objectOf(kind, spec);
    const twice = structuredClone(once);
    kind.setDefaults?.(twice);
    assert.deepEqual(twice, once);
  }
});

const cases: { name: string; given: () => string[]; want: RegExp | undefined }[] = [
  { name: "a plain pod is right", given: () => problems(podKind, { containers: [container] }), want: undefined },
  {
    name: "a pod needs a container",
    given: () => problems(podKind, { containers: [] }),
    want: /^spec\.containers: Required value$/,
  },
  {
    name: "container names are unique",
    given: () => problems(podKind, { containers: [container, container] }),
    want: /^spec\.containers\[1\]\.name: Duplicate value: "app"$/,
  },
  {
    name: "a mount needs its volume",
    given: () => problems(podKind, { containers: [{ ...container, volumeMounts: [{ name: "v", mountPath: "/v" }] }] }),
    want: /volumeMounts\[0\]\.name: Not found: "v"$/,
  },
  {
    name: "a probe needs a handler",
    given: () => problems(podKind, { containers: [{ ...container, livenessProbe: {} }] }),
    want: /livenessProbe: Required value: must specify a handler type$/,
  },
  {
    name: "a pod may be bound once",
    given: () => problems(podKind, { containers: [container], nodeName: "a" }, { containers: [container] }),
    want: undefined,
  },
  {
    name: "but not moved",
    given: () =>
      problems(podKind, { containers: [container], nodeName: "a" }, { containers: [container], nodeName: "b" }),
    want: /^spec: Forbidden: pod updates/,
  },
  {
    name: "a pod's image may change",
    given: () => problems(podKind, { containers: [{ ...container, image: "app:2" }] }, { containers: [container] }),
    want: undefined,
  },
  {
    name: "its command may not",
    given: () => problems(podKind, { containers: [{ ...container, command: ["x"] }] }, { containers: [container] }),
    want: /^spec: Forbidden/,
  },
  {
    name: "a selector must match the template",
    given: () => problems(deploymentKind, { selector: { matchLabels: { app: "x" } }, template }),
    want: /`selector` does not match template `labels`/,
  },
  {
    name: "a selector never changes",
    given: () =>
      problems(deploymentKind, { selector, template }, { selector: { matchLabels: { app: "x" } }, template }),
    want: /^spec\.selector: Invalid value: .*field is immutable$/,
  },
  {
    name: "an update that may not move is refused",
    given: () =>
      problems(deploymentKind, {
        selector,
        template,
        strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: "0%" } },
      }),
    want: /may not be 0 when `maxSurge` is 0$/,
  },
  {
    name: "a service with several ports names them",
    given: () => problems(serviceKind, { ports: [{ port: 80 }, { port: 81 }] }),
    want: /ports\[0\]\.name: Required value/,
  },
  {
    name: "a service keeps its address",
    given: () => problems(serviceKind, { clusterIP: "10.0.0.1", ports: [{ port: 80 }] }, { ports: [{ port: 80 }] }),
    want: /may not change once set/,
  },
  {
    name: "an ingress path says how it matches",
    given: () => problems(ingressKind, { rules: [{ http: { paths: [{ path: "/", backend }] } }] }),
    want: /pathType: Required value/,
  },
  {
    name: "and whom it means",
    given: () =>
      problems(ingressKind, {
        rules: [{ http: { paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: "web" } } }] } }],
      }),
    want: /port name or number is required/,
  },
];
for (const { name, given, want } of cases) {
  test(name, () => {
    const found = given();
    if (want === undefined) assert.deepEqual(found, []);
    else
      assert.ok(
        found.some((text) => want.test(text)),
        found.join("\n"),
      );
  });
}

test("a service's address is a function of its name", () => {
  const first = objectOf(serviceKind, { ports: [{ port: 80 }] })["spec"] as { clusterIP: string };
  const again = objectOf(serviceKind, { ports: [{ port: 81 }] })["spec"] as { clusterIP: string };
  assert.match(first.clusterIP, /^10\.(9[6-9]|10\d|11[01])\.\d+\.\d+$/);
  assert.equal(again.clusterIP, first.clusterIP);
});

const shown: { name: string; status: Pod["status"]; deleting?: boolean; want: string }[] = [
  {
    name: "a waiting container gives its reason",
    status: { phase: "Running", containerStatuses: [statusOf({ waiting: { reason: "CrashLoopBackOff" } })] },
    want: "CrashLoopBackOff",
  },
  {
    name: "an ended one its reason",
    status: { phase: "Failed", containerStatuses: [statusOf({ terminated: { exitCode: 1, reason: "Error" } })] },
    want: "Error",
  },
  {
    name: "init containers count up",
    status: { phase: "Pending", initContainerStatuses: [statusOf({ running: {} })] },
    want: "Init:0/1",
  },
  { name: "a pod on its way out says so", status: { phase: "Running" }, deleting: true, want: "Terminating" },
];
function statusOf(state: object): NonNullable<NonNullable<Pod["status"]>["containerStatuses"]>[0] {
  return { name: "app", image: "i", imageID: "", ready: false, restartCount: 0, state };
}
for (const { name, status, deleting = false, want } of shown) {
  test(name, () => {
    const pod: Pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "web", ...(deleting ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}) },
      spec: { containers: [container], initContainers: [container] },
      ...(status === undefined ? {} : { status }),
    };
    assert.equal(podDisplay(pod, Temporal.Now.instant()).status, want);
  });
}
