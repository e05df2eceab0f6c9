import assert from "node:assert/strict";
import { test } from "node:test";
import { startKubectl } from "./testing.ts";

const manifest = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: "web:1", ports: [{containerPort: 80}]}
      - {name: side, image: "side:1"}
`;

test("kubectl applies, diffs, changes, shows, waits for and deletes", async (t) => {
  const kubectl = await startKubectl(t, process.env);
  if (kubectl === undefined) return;
  const expectations: [args: string, stdin: string | undefined, want: RegExp][] = [
    ["apply -f -", manifest, /^deployment.apps\/web created$/],
    ["apply -f -", manifest, /^deployment.apps\/web unchanged$/],
    ["diff -f -", manifest.replace("web:1", "web:2"), /^-\s+(?:- )?image: web:1\n\+\s+(?:- )?image: web:2$/m],
    ["apply -f -", manifest.replace(/\n.*side.*/, ""), /configured$/],
    ["get deploy web -o jsonpath={.spec.template.spec.containers[*].name}", undefined, /^web$/],
    ["get deploy", undefined, /^NAME\s+READY\s+UP-TO-DATE\s+AVAILABLE\s+AGE\nweb\s+0\/2/],
    ["get deploy web -o yaml", undefined, /^apiVersion: apps\/v1$/m],
    ["describe deploy web", undefined, /^Replicas:\s+2 desired/m],
    ["scale deploy web --replicas=3", undefined, /scaled$/],
    ["wait --for=jsonpath={.spec.replicas}=3 deploy/web", undefined, /condition met$/],
    ['patch deploy web -p {"spec":{"replicas":4}}', undefined, /patched$/],
    ["label deploy web tier=front", undefined, /labeled$/],
    ["annotate deploy web note=x", undefined, /annotated$/],
    ["get deploy -l tier=front -o name", undefined, /^deployment.apps\/web$/],
    ["rollout status deploy web --timeout=1s", undefined, /Waiting for deployment/],
    ["create namespace shop", undefined, /created$/],
    ["create configmap c -n shop --from-literal=a=b", undefined, /created$/],
    ["create secret generic s -n shop --from-literal=a=b", undefined, /created$/],
    ["get secret s -n shop -o jsonpath={.data.a}", undefined, /^Yg==$/],
    ["create deployment other --image=x --replicas=0", undefined, /created$/],
    ["get deploy other -o jsonpath={.spec.replicas}", undefined, /^0$/],
    ['run p --image=x --overrides={"spec":{"nodeName":"local"}}', undefined, /created$/],
    ["logs p", undefined, /^hello from p$/],
    ["auth can-i create pods", undefined, /^yes$/],
    ["explain deploy.spec.strategy", undefined, /RollingUpdateDeployment>\s+Bounds of a rolling update/],
    ["api-resources", undefined, /trafficsplits/],
    ["delete pod p --force --grace-period=0", undefined, /deleted/],
    ["delete ns shop", undefined, /deleted/],
    ["get cm -n shop", undefined, /No resources found/],
    ["delete deploy web other --cascade=foreground", undefined, /deleted/],
    ["get deploy web", undefined, /deployments.apps "web" not found/],
    ["apply -f -", manifest.replace("replicas", "replica"), /strict decoding error: unknown field "spec.replica"/],
    [
      "apply -f -",
      "{apiVersion: x.y/v1, kind: Z, metadata: {name: a}}",
      /no matches for kind "Z" in version "x.y\/v1"/,
    ],
  ];
  for (const [args, stdin, want] of expectations) {
    assert.match(await kubectl(args.split(" "), stdin), want, `kubectl ${args}`);
  }
});

test("kubectl get -w shows a change as it happens", async (t) => {
  const kubectl = await startKubectl(t, process.env);
  if (kubectl === undefined) return;
  await kubectl(["apply", "-f", "-"], manifest);
  const watching = kubectl(["get", "deploy", "web", "-w", "--request-timeout=3s"]);
  await kubectl(["scale", "deploy", "web", "--replicas=7"]);
  assert.match(await watching, /0\/7/);
});
