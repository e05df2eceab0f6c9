import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { runCommand } from "#lib";
import { startFace, token } from "./testing.ts";

type Kubectl = (args: readonly string[], stdin?: string) => Promise<string>;

/** Undefined, with the reason printed, where there is no kubectl; CI must have one. */
async function startKubectl(t: TestContext): Promise<Kubectl | undefined> {
  if (spawnSync("kubectl", ["version", "--client"]).status !== 0) {
    assert.equal(process.env["CI"], undefined, "CI must have kubectl");
    t.skip("kubectl is not on the PATH");
    return undefined;
  }
  const app = await startFace(t);
  const address = new URL(await app.listen({ port: 0, host: "127.0.0.1" }));
  const folder = await mkdtemp(join(tmpdir(), "tidegate-kubectl-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const kubeconfig = join(folder, "config");
  // kubectl sends no bearer token over plain HTTP; credentials in the URL it does send.
  const server = `http://tidegate:${token}@${address.host}/kube`;
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "t", cluster: { server } }],
    contexts: [{ name: "t", context: { cluster: "t", user: "t" } }],
    users: [{ name: "t", user: {} }],
    "current-context": "t",
  };
  await writeFile(kubeconfig, JSON.stringify(config));
  return async (args, stdin) => {
    const result = await runCommand("kubectl", ["--cache-dir", join(folder, "cache"), ...args], {
      signal: AbortSignal.timeout(30_000),
      env: { PATH: process.env["PATH"] ?? "", HOME: folder, KUBECONFIG: kubeconfig },
      ...(stdin === undefined ? {} : { input: stdin }),
    });
    return `${result.stdout.toString()}${result.stderr}`.trim();
  };
}

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
  const kubectl = await startKubectl(t);
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
    ["run p --image=x", undefined, /created$/],
    ["logs p", undefined, /^hello from p$/],
    ["auth can-i create pods", undefined, /^yes$/],
    ["explain deploy.spec.strategy", undefined, /RollingUpdateDeployment/],
    ["api-resources", undefined, /trafficsplits/],
    ["delete pod p", undefined, /deleted/],
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
  const kubectl = await startKubectl(t);
  if (kubectl === undefined) return;
  await kubectl(["apply", "-f", "-"], manifest);
  const watching = kubectl(["get", "deploy", "web", "-w", "--request-timeout=3s"]);
  await kubectl(["scale", "deploy", "web", "--replicas=7"]);
  assert.match(await watching, /0\/7/);
});
