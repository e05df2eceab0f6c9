/** Story: every habit that people have with kubectl and objects, one after the other, with the kubectl on the machine. */
import assert from "node:assert/strict";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Deployment, KubeObject } from "#api";
import { skipWithout } from "../support/needs.ts";
import { type Finished, follow, run } from "../support/run-command.ts";
import { startTidegate, type Tidegate } from "../support/start-tidegate.ts";

const skip = skipWithout("kubectl", ["version", "--client"]);

describe("Given an empty cluster and kubectl", { skip }, () => {
  let tidegate: Tidegate;

  before(async () => {
    tidegate = await startTidegate({ jobs: 0 });
  });
  after(() => tidegate[Symbol.asyncDispose]());

  interface How {
    readonly code?: number;
    readonly input?: string;
    readonly env?: Readonly<Record<string, string>>;
  }
  const kubectl = (words: string | readonly string[], how: How = {}): Promise<Finished> => {
    const args = typeof words === "string" ? words.split(" ") : words;
    return run("kubectl", args, { ...how, env: { ...tidegate.env, ...how.env } });
  };
  const said = async (words: string | readonly string[], how: How = {}): Promise<string> => {
    const { stdout, stderr } = await kubectl(words, how);
    return `${stdout}${stderr}`;
  };
  const apply = (input: string, more = "", code = 0): Promise<string> =>
    said(`apply -f -${more === "" ? "" : ` ${more}`}`, { input, code });
  const read = async <T>(words: string): Promise<T> => JSON.parse((await kubectl(`get ${words} -o json`)).stdout) as T;

  test("when things are created, run and exposed by command, then each is there as it was asked for", async () => {
    await kubectl("create namespace made");
    for (const words of [
      "configmap settings --from-literal=a=1",
      "secret generic login --from-literal=password=hidden",
      "deployment idle --image=registry.example/idle:1 --replicas=0 --port=8080",
      "role reader --verb=get --resource=pods",
      "rolebinding readers --role=reader --user=ada",
      "serviceaccount robot",
      "ingress front --rule=shop.example/*=idle:80",
      "job once --image=registry.example/idle:1 --dry-run=server",
      "cronjob nightly --image=registry.example/idle:1 --schedule=@daily",
      "quota team --hard=pods=5",
    ]) {
      assert.match(await said(`create -n made ${words}`), /created/, words);
    }
    assert.match(await said("expose -n made deployment idle --port=80 --target-port=8080"), /service\/idle exposed/);
    assert.match(
      await said("run -n made one --image=registry.example/idle:1 --dry-run=server"),
      /pod\/one created \(server/,
    );
    assert.match(await said("create -n made -f -", { input: configMap("settings", "1"), code: 1 }), /AlreadyExists/);
    assert.equal((await kubectl("get -n made secret login -o jsonpath={.data.password}")).stdout, btoa("hidden"));
    assert.match(await said("describe -n made ingress front"), /shop.example\s+\n\s+\/\s+idle:80/);
    await kubectl("get -n made pod one", { code: 1 });
  });

  test("when lists are read, then namespaces, selectors, fields, chunks and names choose", async () => {
    await apply(["a", "b", "c"].map((name) => configMap(name, name)).join("---\n"), "-n made");
    await kubectl("label -n made configmap a b tier=front");
    assert.match(await said("get configmaps -A"), /^NAMESPACE +NAME +DATA +AGE[\s\S]*^made +settings/m);
    assert.equal(await said("get -n made configmaps -l tier=front -o name"), "configmap/a\nconfigmap/b\n");
    assert.equal(await said("get -n made configmaps -l tier!=front,app -o name"), "configmap/c\n");
    assert.equal(await said("get -n made cm --field-selector=metadata.name=c -o name"), "configmap/c\n");
    assert.match(
      await said("get -n made cm --field-selector=data.a=1", { code: 1 }),
      /"data.a" is not a known field selector/,
    );
    const chunked = await said("get -n made configmaps --chunk-size=1 -o name");
    assert.equal(chunked, await said("get -n made configmaps -o name"));
    assert.match(await said("get -n made all"), /deployment.apps\/idle[\s\S]*cronjob.batch\/nightly/);
    assert.match(await said("get -n made cm a -o yaml"), /^apiVersion: v1\ndata:\n {2}value: a\nkind: ConfigMap\n/);
    assert.match(
      await said("get -n made cm --sort-by=.metadata.name -o custom-columns=N:.metadata.name"),
      /^N\na\nb\nc\n/,
    );
    await using watch = follow("kubectl", ["-n", "made", "get", "cm", "-w", "--output-watch-events"], {
      env: tidegate.env,
    });
    await watch.line(/^ADDED +settings/);
    await kubectl("delete -n made configmap c");
    await watch.line(/^DELETED +c /);
  });

  test("when objects are applied by the server, then owners meet in conflicts, share, yield and let go", async () => {
    const byServer = "--server-side -n made";
    const wide = configMap("owned", "1", "more");
    assert.match(await apply(wide, byServer), /serverside-applied/);
    const before = await read<KubeObject>("-n made cm owned");
    await apply(wide, byServer);
    assert.deepEqual(await read<KubeObject>("-n made cm owned"), before, "the same again changes nothing");
    const conflict = await apply(configMap("owned", "2"), `${byServer} --field-manager=other`, 1);
    assert.match(conflict, /Apply failed with 1 conflict: conflict with "kubectl": .data.value/);
    assert.match(
      await said("diff --server-side -n made -f -", { input: configMap("owned", "3", "more"), code: 1 }),
      /^\+ {2}value: "3"$/m,
    );
    await apply(configMap("owned", "1"), `${byServer} --field-manager=other`);
    await apply(configMap("owned", "2"), `${byServer} --field-manager=other --force-conflicts`);
    assert.match(await apply(wide, byServer, 1), /conflict with "other"/);
    await apply(configMap("owned", "2"), byServer);
    assert.equal(await said("get -n made cm owned -o jsonpath={.data}"), '{"value":"2"}', "what it left out went");
    await apply(configMap("moved", "1", "more"), "-n made");
    await apply(configMap("moved", "1"), byServer);
    assert.equal(
      await said("get -n made cm moved -o jsonpath={.data}"),
      '{"value":"1"}',
      "client-side apply handed over",
    );
  });

  test("when objects are changed in every other way, then each does what its name says", async () => {
    const patch = (type: string, body: string): Promise<Finished> =>
      kubectl(["patch", "-n", "made", "deployment", "idle", `--type=${type}`, "-p", body]);
    await patch(
      "strategic",
      '{"spec":{"template":{"spec":{"containers":[{"name":"side","image":"registry.example/side:1"}]}}}}',
    );
    await patch("merge", '{"metadata":{"labels":{"by":"merge"}}}');
    await patch("json", '[{"op":"add","path":"/spec/minReadySeconds","value":3}]');
    const { metadata, spec } = await read<Deployment>("-n made deployment idle");
    assert.deepEqual(spec.template.spec.containers.map(({ name }) => name).sort(), ["idle", "side"]);
    assert.deepEqual([metadata.labels?.["by"], spec.minReadySeconds], ["merge", 3]);
    const status = ["patch", "-n", "made", "service", "idle", "--subresource=status", "--type=merge"];
    await kubectl([...status, "-p", '{"status":{"loadBalancer":{"ingress":[{"ip":"192.0.2.1"}]}}}']);
    const editor = join(tidegate.scratch, "editor.sh");
    await writeFile(editor, '#!/bin/sh\nsed -i "s/minReadySeconds: 3/minReadySeconds: 4/" "$1"\n');
    await chmod(editor, 0o755);
    assert.match(
      await said("edit -n made deployment idle", { env: { KUBE_EDITOR: editor } }),
      /deployment.apps\/idle edited/,
    );
    assert.match(await said("annotate -n made deployment idle note=one"), /annotated/);
    await kubectl("annotate -n made deployment idle note=two", { code: 1 });
    assert.match(await said("annotate -n made deployment idle note=two --overwrite"), /annotated/);
    assert.match(await said("label -n made deployment idle by-"), /unlabeled/);
    assert.match(await said("replace -n made -f -", { input: configMap("a", "replaced") }), /configmap\/a replaced/);
    const { metadata: old } = await read<KubeObject>("-n made cm a");
    assert.match(
      await said("replace --force -n made -f -", { input: configMap("a", "forced") }),
      /configmap\/a replaced/,
    );
    assert.notEqual((await read<KubeObject>("-n made cm a")).metadata.uid, old.uid, "force makes it anew");
    assert.match(await said("set env -n made deployment/idle MODE=calm"), /env updated/);
    assert.match(
      await said("set resources -n made deployment/idle --limits=memory=64Mi"),
      /resource requirements updated/,
    );
  });

  test("when it is scaled and its rollouts are looked at, then conditions and revisions count", async () => {
    const scale = "scale -n made deployment/idle --replicas=0";
    assert.match(await said(`${scale} --current-replicas=7`, { code: 1 }), /Expected replicas to be 7, was 0/);
    assert.match(await said(`${scale} --current-replicas=0`), /scaled/);
    const revision = async (): Promise<string | undefined> =>
      (await read<Deployment>("-n made deployment idle")).metadata.annotations?.["deployment.kubernetes.io/revision"];
    await kubectl("rollout status -n made deployment/idle --timeout=20s");
    const first = Number(await revision());
    await kubectl("rollout pause -n made deployment/idle");
    await kubectl("set image -n made deployment/idle idle=registry.example/idle:2");
    assert.match(await said("rollout undo -n made deployment/idle", { code: 1 }), /paused/);
    await kubectl("rollout resume -n made deployment/idle");
    await kubectl("rollout status -n made deployment/idle --timeout=20s");
    assert.equal(Number(await revision()), first + 1);
    await kubectl("rollout restart -n made deployment/idle");
    await kubectl("rollout status -n made deployment/idle --timeout=20s");
    assert.match(
      await said(`rollout history -n made deployment/idle --revision=${first}`),
      /Image:\s+registry.example\/idle:1/,
    );
    assert.match(await said(`rollout undo -n made deployment/idle --to-revision=${first}`), /rolled back/);
    await kubectl("rollout status -n made deployment/idle --timeout=20s");
    assert.match(await said("get -n made deployment idle -o jsonpath={..image}"), /idle:1/);
    assert.match(
      await said("rollout undo -n made deployment/idle --to-revision=99", { code: 1 }),
      /unable to find specified revision 99/,
    );
    await kubectl("wait -n made deployment/idle --for=condition=Available --timeout=10s");
    await kubectl("wait -n made deployment/idle --for=jsonpath={.spec.replicas}=0 --timeout=10s");
    assert.match(
      await said("wait -n made deployment/idle --for=condition=Broken --timeout=1s", { code: 1 }),
      /timed out/,
    );
  });

  test("when something is only tried, then it is answered as if and nothing is there", async () => {
    assert.match(await apply(configMap("tried", "1"), "-n made --dry-run=server"), /created \(server dry run\)/);
    assert.match(await said("delete -n made cm settings --dry-run=server"), /deleted \(server dry run\)/);
    await kubectl("get -n made cm tried", { code: 1 });
    await kubectl("get -n made cm settings");
    assert.match(await said("diff -n made -f -", { input: configMap("tried", "1"), code: 1 }), /^\+kind: ConfigMap$/m);
    assert.match(
      await apply(configMap("Bad_Name", "1"), "-n made --dry-run=server", 1),
      /metadata.name: Invalid value/,
    );
  });

  test("when a set is applied with pruning, then what left the set leaves the cluster", async () => {
    const set = (names: readonly string[]): string =>
      names.map((name) => configMap(name, name, undefined, "pruned")).join("---\n");
    const byLabel = "-n made --prune -l app=pruned --prune-allowlist=core/v1/ConfigMap";
    await apply(set(["one", "two"]), byLabel);
    assert.match(await apply(set(["one"]), byLabel), /configmap\/two pruned/);
    const bySet = "-n made --prune --applyset=mine";
    const env = { KUBECTL_APPLYSET: "true" };
    await kubectl(`apply -f - ${bySet}`, { input: set(["three", "four"]), env });
    assert.match(await said(`apply -f - ${bySet}`, { input: set(["four"]), env }), /configmap\/three pruned/);
    assert.equal(await said("get -n made cm -l app=pruned -o name"), "configmap/four\nconfigmap/one\n");
    const folder = join(tidegate.scratch, "kustomized");
    await mkdir(folder);
    await writeFile(join(folder, "map.yaml"), configMap("built", "1"));
    await writeFile(join(folder, "kustomization.yaml"), "resources: [map.yaml]\nnamePrefix: my-\nnamespace: made\n");
    assert.match(await said(["apply", "-k", folder]), /configmap\/my-built created/);
    assert.match(await said(["delete", "-k", folder]), /configmap "my-built" deleted/);
  });

  test("when things are deleted, then propagation, finalizers and whole namespaces go as they should", async () => {
    await kubectl("delete -n made deployment idle --cascade=orphan");
    const [orphan] = (await read<{ items: KubeObject[] }>("-n made replicasets")).items;
    assert.equal(orphan?.metadata.ownerReferences, undefined, "what is orphaned has no owner any more");
    await kubectl("delete -n made replicasets --all");
    await apply(configMap("held", "1").replace("metadata:", "metadata:\n  finalizers: [example.com/hold]"), "-n made");
    await kubectl("delete -n made cm held --wait=false");
    assert.notEqual((await read<KubeObject>("-n made cm held")).metadata.deletionTimestamp, undefined);
    await kubectl(["patch", "-n", "made", "cm", "held", "--type=merge", "-p", '{"metadata":{"finalizers":null}}']);
    await kubectl("wait --for=delete -n made cm/held --timeout=10s");
    await kubectl("delete namespace made --timeout=30s");
    assert.match(await said("get -n made cm -o name"), /^$|No resources/);
    assert.match(await said("delete namespace default", { code: 1 }), /this namespace may not be deleted/);
  });

  test("when a kind is defined, then kubectl explains, validates, prints, scales and removes it like its own", async () => {
    await apply(definition);
    await kubectl("wait crd/gates.habits.example.com --for=condition=Established --timeout=10s");
    assert.match(await said("explain gate.spec"), /width\s+<integer> -required-/);
    assert.match(await apply(gate.replace("width: 3", "width: none"), "", 1), /spec.width: Invalid value/);
    assert.match(await apply(gate.replace("width", "breadth"), "", 1), /unknown field "spec.breadth"/);
    await apply(gate);
    assert.match(await apply(gate), /unchanged/);
    assert.match(await said("get gates"), /^NAME +WIDTH\nharbour +3\n$/);
    assert.match(
      await said("diff -f -", { input: gate.replace("width: 3", "width: 5"), code: 1 }),
      /^\+ {2}width: 5$/m,
    );
    assert.match(await said("scale gate harbour --replicas=4"), /scaled/);
    assert.equal(await said("get gate harbour -o jsonpath={.spec.replicas}"), "4");
    await kubectl([
      "patch",
      "gate",
      "harbour",
      "--subresource=status",
      "--type=merge",
      "-p",
      '{"status":{"open":true}}',
    ]);
    await kubectl("wait gate/harbour --for=jsonpath={.status.open}=true --timeout=10s");
    assert.match(
      await apply(gate.replace("width: 3", "width: 6"), "--server-side --force-conflicts"),
      /serverside-applied/,
    );
    await kubectl("delete crd gates.habits.example.com");
    assert.match(
      await said("get gates", { code: 1 }),
      /the server doesn't have a resource type "gates"|not found|could not find/,
    );
    assert.match(await apply(gate, "", 1), /no matches for kind "Gate"|could not find the requested resource/);
  });

  test("when the cluster is asked what it is and who may do what, then it says so", async () => {
    assert.match(await said("api-resources"), /^deployments +deploy +apps\/v1 +true +Deployment$/m);
    assert.match(await said("api-resources --namespaced=false --verbs=list -o name"), /^nodes$/m);
    assert.match(await said("api-versions"), /^batch\/v1$/m);
    assert.match(await said("cluster-info"), /control plane is running at/);
    assert.match(await said("version"), /Server Version: v1\./);
    assert.match(
      await said("explain deployment.spec.template.spec.containers.livenessProbe"),
      /httpGet\s+<HTTPGetAction>/,
    );
    assert.match(await said("auth can-i delete pods"), /^yes/);
    assert.match(await said("auth can-i delete pods --as=nobody", { code: 1 }), /^no/);
    assert.match(await said("auth can-i --list"), /Resources +Non-Resource URLs +Resource Names +Verbs/);
    assert.match(await said("auth whoami"), /Username/);
    assert.match(await said("get nodes"), /Ready/);
    assert.match(await said("get --raw /readyz"), /ok/);
    assert.match(await said("get nothings", { code: 1 }), /the server doesn't have a resource type "nothings"/);
  });
});

function configMap(name: string, value: string, more?: string, app = "habits"): string {
  return `apiVersion: v1
kind: ConfigMap
metadata:
  name: ${name}
  labels: { app: ${app} }
data:
  value: "${value}"
${more === undefined ? "" : `  more: "${more}"\n`}`;
}

const definition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: gates.habits.example.com }
spec:
  group: habits.example.com
  scope: Namespaced
  names: { kind: Gate, plural: gates, singular: gate }
  versions:
    - name: v1
      served: true
      storage: true
      subresources:
        status: {}
        scale: { specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas }
      additionalPrinterColumns:
        - { name: Width, type: integer, jsonPath: .spec.width }
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              required: [width]
              properties:
                width: { type: integer }
                replicas: { type: integer }
            status:
              type: object
              properties:
                open: { type: boolean }
                replicas: { type: integer }
`;

const gate = `apiVersion: habits.example.com/v1
kind: Gate
metadata:
  name: harbour
spec:
  width: 3
`;
