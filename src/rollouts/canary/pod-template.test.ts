import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { PodTemplateSpec } from "#api";
import { isSameTemplate, podTemplateHash } from "./pod-template.ts";

const base: PodTemplateSpec = {
  metadata: { labels: { app: "web" } },
  spec: {
    containers: [
      {
        name: "web",
        image: "registry:5000/web:1.2",
        ports: [{ containerPort: 8080 }],
        env: [{ name: "POD", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }],
        readinessProbe: { httpGet: { port: 8080 } },
        resources: { requests: { cpu: "1000m", memory: "128Mi" } },
      },
    ],
    volumes: [{ name: "tmp", emptyDir: {} }],
  },
};

/** `base` as an API server gives it back. */
const filledIn: PodTemplateSpec = {
  metadata: { labels: { app: "web", "rollouts-pod-template-hash": "abc" } },
  spec: {
    restartPolicy: "Always",
    dnsPolicy: "ClusterFirst",
    schedulerName: "default-scheduler",
    terminationGracePeriodSeconds: 30,
    securityContext: {},
    containers: [
      {
        name: "web",
        image: "registry:5000/web:1.2",
        imagePullPolicy: "IfNotPresent",
        terminationMessagePath: "/dev/termination-log",
        terminationMessagePolicy: "File",
        ports: [{ containerPort: 8080, protocol: "TCP" }],
        env: [{ name: "POD", valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "metadata.name" } } }],
        readinessProbe: {
          httpGet: { port: 8080, path: "/", scheme: "HTTP" },
          timeoutSeconds: 1,
          periodSeconds: 10,
          successThreshold: 1,
          failureThreshold: 3,
        },
        resources: { requests: { cpu: "1", memory: "134217728" } },
      },
    ],
    volumes: [{ name: "tmp", emptyDir: {} }],
  },
};

function changed(change: (template: PodTemplateSpec) => void): PodTemplateSpec {
  const copy = structuredClone(base);
  change(copy);
  return copy;
}

describe("pod templates", () => {
  it("are the same before and after a server has filled in defaults", () => {
    assert.ok(isSameTemplate(base, filledIn));
    assert.equal(podTemplateHash(base, 0), podTemplateHash(filledIn, 0));
  });

  const differences: readonly (readonly [string, (template: PodTemplateSpec) => void])[] = [
    ["another image", (one) => Object.assign(one.spec.containers[0] ?? {}, { image: "registry:5000/web:1.3" })],
    ["no probe", (one) => delete one.spec.containers[0]?.readinessProbe],
    ["another pull policy", (one) => Object.assign(one.spec.containers[0] ?? {}, { imagePullPolicy: "Always" })],
    ["another label", (one) => Object.assign(one.metadata?.labels ?? {}, { tier: "front" })],
    ["an annotation", (one) => Object.assign(one.metadata ?? {}, { annotations: { a: "b" } })],
    ["a longer grace period", (one) => Object.assign(one.spec, { terminationGracePeriodSeconds: 31 })],
    ["another amount", (one) => Object.assign(one.spec.containers[0] ?? {}, { resources: { requests: { cpu: "2" } } })],
    ["another kind of volume", (one) => (one.spec.volumes = [{ name: "tmp", configMap: { name: "x" } }])],
    ["another variable", (one) => Object.assign(one.spec.containers[0] ?? {}, { env: [{ name: "A", value: "1" }] })],
  ];
  for (const [name, change] of differences) {
    it(`differ by ${name}`, () => {
      assert.ok(!isSameTemplate(base, changed(change)));
      assert.notEqual(podTemplateHash(base, 0), podTemplateHash(changed(change), 0));
    });
  }

  it("have another hash after a collision", () => {
    assert.notEqual(podTemplateHash(base, 0), podTemplateHash(base, 1));
  });
});
