/** Server-side apply as kubectl does it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "yaml";
import { type Kubectl, startKubectl } from "./testing.ts";

interface Read {
  metadata: { resourceVersion: string; labels?: object; managedFields?: Entry[] };
  spec: Record<string, unknown>;
}
interface Entry {
  manager: string;
  operation: string;
  subresource?: string;
  fieldsV1: Record<string, never>;
}

function manifest({ image = "web:1", replicas = "replicas: 2", labels = "", side = "" } = {}): string {
  return `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default${labels}}
spec:
  ${replicas}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: "${image}", ports: [{containerPort: 80}]}
      ${side}
`;
}

async function read(kubectl: Kubectl, what = "deploy/web"): Promise<Read> {
  return parse(await kubectl(["get", what, "-o", "yaml", "--show-managed-fields"])) as Read;
}

async function owners(kubectl: Kubectl, what?: string): Promise<string[]> {
  const { metadata } = await read(kubectl, what);
  return (metadata.managedFields ?? []).map(({ manager, operation, subresource = "" }) =>
    `${manager} ${operation} ${subresource}`.trim(),
  );
}

test("kubectl applies on the server: creates, changes nothing twice, shows who owns what", async (t) => {
  const kubectl = await startKubectl(t, process.env);
  if (kubectl === undefined) return;
  const apply = ["apply", "--server-side", "-f", "-"];
  assert.equal(await kubectl(apply, manifest()), "deployment.apps/web serverside-applied");
  const first = await read(kubectl);
  assert.equal(await kubectl(apply, manifest()), "deployment.apps/web serverside-applied");
  assert.deepEqual(await read(kubectl), first, "the second apply changed nothing, the version included");
  assert.deepEqual(
    first.metadata.managedFields?.map(({ manager, operation, fieldsV1 }) => ({ manager, operation, fieldsV1 })),
    [
      {
        manager: "kubectl",
        operation: "Apply",
        fieldsV1: {
          "f:spec": {
            "f:replicas": {},
            "f:selector": {},
            "f:template": {
              "f:metadata": { "f:labels": { "f:app": {} } },
              "f:spec": {
                "f:containers": {
                  'k:{"name":"web"}': {
                    ".": {},
                    "f:image": {},
                    "f:name": {},
                    "f:ports": {
                      'k:{"containerPort":80,"protocol":"TCP"}': { ".": {}, "f:containerPort": {} },
                    },
                  },
                },
              },
            },
          },
        },
      },
    ],
    "and defaults belong to nobody",
  );
});

test("kubectl is told of a conflict, takes the field by force, and gives up what it drops", async (t) => {
  const kubectl = await startKubectl(t, process.env);
  if (kubectl === undefined) return;
  const apply = ["apply", "--server-side", "-f", "-"];
  const labelled = manifest({ labels: ", labels: {tier: front}", side: '- {name: side, image: "side:1"}' });
  await kubectl(apply, labelled);
  assert.match(await kubectl(["scale", "deploy/web", "--replicas=5"]), /scaled$/);
  assert.match(
    await kubectl(apply, labelled),
    /^error: Apply failed with 1 conflict: conflict with "kubectl" with subresource "scale" using apps\/v1: \.spec\.replicas$/m,
  );
  assert.match(
    await kubectl([...apply, "--field-manager=other"], manifest({ image: "web:2" })),
    new RegExp(
      [
        'error: Apply failed with 2 conflicts: conflicts with "kubectl":',
        '- \\.spec\\.template\\.spec\\.containers\\[name="web"\\]\\.image',
        'conflicts with "kubectl" with subresource "scale" using apps/v1:',
        "- \\.spec\\.replicas",
      ].join("\n"),
    ),
  );
  assert.match(await kubectl([...apply, "--force-conflicts"], labelled), /serverside-applied$/);
  assert.deepEqual(await owners(kubectl), ["kubectl Apply"]);
  assert.match(await kubectl(apply, manifest({ replicas: "paused: false" })), /serverside-applied$/);
  const dropped = await read(kubectl);
  assert.deepEqual([dropped.metadata.labels, dropped.spec["replicas"]], [undefined, 1]);
  assert.equal(
    await kubectl(["get", "deploy", "web", "-o", "jsonpath={.spec.template.spec.containers[*].name}"]),
    "web",
  );
});

test("kubectl diff shows what an apply on the server would change, and changes nothing", async (t) => {
  const kubectl = await startKubectl(t, process.env);
  if (kubectl === undefined) return;
  await kubectl(["apply", "--server-side", "-f", "-"], manifest());
  const before = await read(kubectl);
  const diff = ["diff", "--server-side", "-f", "-"];
  assert.match(await kubectl(diff, manifest({ image: "web:2" })), /^-\s+- image: web:1\n\+\s+- image: web:2$/m);
  assert.equal(await kubectl(diff, manifest()), "");
  assert.match(
    await kubectl(["apply", "--server-side", "--dry-run=server", "-f", "-"], manifest({ image: "web:2" })),
    /serverside-applied \(server dry run\)$/,
  );
  assert.deepEqual(await read(kubectl), before);
});

test("what kubectl applied on the client it takes over on the server, and back, without a conflict", async (t) => {
  const kubectl = await startKubectl(t, process.env);
  if (kubectl === undefined) return;
  const labelled = manifest({ labels: ", labels: {tier: front}" });
  await kubectl(["apply", "-f", "-"], labelled);
  assert.deepEqual(await owners(kubectl), ["kubectl-client-side-apply Update"]);
  const server = ["apply", "--server-side", "-f", "-"];
  assert.equal(await kubectl(server, manifest({ image: "web:2" })), "deployment.apps/web serverside-applied");
  assert.deepEqual(await owners(kubectl), ["kubectl-last-applied Apply", "kubectl Apply"]);
  const taken = await read(kubectl);
  assert.equal(taken.metadata.labels, undefined, "what was dropped with the move is gone");
  assert.match(await kubectl(["apply", "-f", "-"], manifest({ image: "web:3" })), /configured$/);
  assert.equal(
    await kubectl(["get", "deploy", "web", "-o", "jsonpath={.spec.template.spec.containers[*].image}"]),
    "web:3",
  );
});

const definition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: shops.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: shops, singular: shop, kind: Shop}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [name]
            properties:
              name: {type: string}
              size: {type: integer, default: 3}
              shelves:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [id]
                items: {type: object, required: [id], properties: {id: {type: string}, goods: {type: string}}}
          status: {type: object, x-kubernetes-preserve-unknown-fields: true}
`;

test("kubectl applies custom resources on the server by the structure of their definition", async (t) => {
  const kubectl = await startKubectl(t, process.env);
  if (kubectl === undefined) return;
  assert.match(await kubectl(["apply", "--server-side", "-f", "-"], definition), /serverside-applied$/);
  assert.match(await kubectl(["wait", "--for=condition=Established", "crd/shops.example.com"]), /condition met$/);
  function shop(spec: string): string {
    return `{apiVersion: example.com/v1, kind: Shop, metadata: {name: s, namespace: default}, spec: ${spec}}`;
  }
  const apply = ["apply", "--server-side", "-f", "-"];
  assert.equal(
    await kubectl(apply, shop("{name: a, shelves: [{id: one, goods: tea}]}")),
    "shop.example.com/s serverside-applied",
  );
  const mine = [...apply, "--field-manager=other"];
  assert.equal(
    await kubectl(mine, shop("{name: a, shelves: [{id: two, goods: rice}]}")),
    "shop.example.com/s serverside-applied",
  );
  assert.match(
    await kubectl(mine, shop("{name: a, shelves: [{id: one, goods: salt}]}")),
    /1 conflict: conflict with "kubectl": \.spec\.shelves\[id="one"\]\.goods/,
  );
  await kubectl(apply, shop("{name: a}"));
  const { spec } = await read(kubectl, "shop/s");
  assert.deepEqual(spec, { name: "a", size: 3, shelves: [{ id: "two", goods: "rice" }] });
  assert.match(await kubectl(mine, shop("{size: 4}")), /serverside-applied$/, "required fields count in the whole");
  assert.match(await kubectl(mine, shop("{nam: a}")), /strict decoding error: unknown field "spec\.nam"/);
  assert.match(
    await kubectl(
      [...mine, "--subresource=status"],
      `{apiVersion: example.com/v1, kind: Shop, metadata: {name: s, namespace: default}, status: {open: true}}`,
    ),
    /serverside-applied$/,
  );
  assert.deepEqual(await owners(kubectl, "shop/s"), ["kubectl Apply", "other Apply", "other Apply status"]);
});
