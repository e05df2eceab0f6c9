import assert from "node:assert/strict";
import { test } from "node:test";
import { parse, parseAllDocuments } from "yaml";
import { applicationManifest, environmentFiles, type Names } from "./templates.ts";

function names(given: Partial<Names>): Names {
  return {
    owner: "acme",
    app: "hello",
    environments: "environments",
    registry: "127.0.0.1:7070",
    controlUrl: "http://127.0.0.1:7070",
    ...given,
  };
}

interface Named {
  readonly kind: string;
  readonly metadata?: { readonly name: string };
}

/** `Kind/name` of everything an application puts into the namespace that all applications share. */
async function objectsOf(app: string): Promise<string[]> {
  const files = await environmentFiles(names({ app }));
  const texts = [...files].filter(([path]) => path.includes("/base/")).map(([, text]) => text);
  const objects = texts.flatMap((text) => parseAllDocuments(text).map((document) => document.toJS() as Named));
  return objects.flatMap(({ kind, metadata }) => (metadata === undefined ? [] : [`${kind}/${metadata.name}`]));
}

test("two applications of one environment share no object", async () => {
  const [one, other] = await Promise.all([objectsOf("hello"), objectsOf("world")]);
  assert.equal(one.length, 3);
  assert.deepEqual(new Set(one).intersection(new Set(other)), new Set());
});

test("a name that contains that of the example is put in once", async () => {
  const manifest = await applicationManifest(names({ owner: "my-shop", app: "shop-api", registry: "127.0.0.1:7171" }));
  const { metadata, spec } = parse(manifest) as {
    metadata: { name: string; annotations: Record<string, string> };
    spec: { source: { repoURL: string; path: string } };
  };
  assert.equal(metadata.name, "shop-api");
  const list = metadata.annotations["argocd-image-updater.argoproj.io/image-list"];
  assert.equal(list, "shop-api=127.0.0.1:7171/my-shop/shop-api");
  assert.equal(spec.source.repoURL, "http://127.0.0.1:7070/my-shop/environments");
  assert.equal(spec.source.path, "apps/shop-api/overlays/production");
});

const looks = [
  { health: undefined, probe: { tcpSocket: { port: "http" } } },
  { health: "/ready", probe: { httpGet: { path: "/ready", port: "http" } } },
];
for (const { health, probe } of looks) {
  test(`pods are looked at by ${health ?? "connecting to their port"}`, async () => {
    const files = await environmentFiles(names({}), { port: 3000, health });
    const rollout = parse(files.get("apps/hello/base/rollout.yaml") ?? "") as {
      spec: { template: { spec: { containers: [Record<string, object>] } } };
    };
    const [container] = rollout.spec.template.spec.containers;
    assert.deepEqual(container["ports"], [{ name: "http", containerPort: 3000 }]);
    assert.deepEqual(container["readinessProbe"], { ...probe, periodSeconds: 2 });
    assert.deepEqual(container["livenessProbe"], { ...probe, periodSeconds: 5, failureThreshold: 3 });
  });
}
