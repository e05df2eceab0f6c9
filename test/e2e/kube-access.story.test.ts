/** Story: a team shares the cluster. Everybody has a kubeconfig of their own, and may what roles say. */
import assert from "node:assert/strict";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { skipWithout } from "../support/needs.ts";
import { type Finished, run } from "../support/run-command.ts";
import { pushImage } from "../support/sample-image.ts";
import { startTidegate, type Tidegate } from "../support/start-tidegate.ts";

const skip = skipWithout("curl") || skipWithout("skopeo") || skipWithout("kubectl", ["version", "--client"]);

describe("Given a running server and two namespaces", { skip }, () => {
  let tidegate: Tidegate;
  /** Address of the Kubernetes API, and a file with the authority to check it by. */
  let server: string;
  let authority: string;

  interface Options {
    readonly code?: number;
    readonly input?: string;
    readonly kubeconfig?: string;
  }

  const kubectl = (args: readonly string[], { kubeconfig, ...options }: Options = {}): Promise<Finished> => {
    const env = kubeconfig === undefined ? tidegate.env : { ...tidegate.env, KUBECONFIG: kubeconfig };
    return run("kubectl", args, { env, ...options });
  };
  const refused = async (args: readonly string[], options: Options = {}): Promise<string> =>
    (await kubectl(args, { ...options, code: 1 })).stderr.trim();

  before(async () => {
    tidegate = await startTidegate();
    server = (await kubectl(["config", "view", "-o", "jsonpath={.clusters[0].cluster.server}"])).stdout;
    const path = "jsonpath={.clusters[0].cluster.certificate-authority-data}";
    const { stdout: encoded } = await kubectl(["config", "view", "--raw", "-o", path]);
    authority = join(tidegate.scratch, "authority.crt");
    await writeFile(authority, Buffer.from(encoded, "base64"));
    for (const name of ["team", "other"]) await kubectl(["create", "namespace", name]);
  });
  after(() => tidegate[Symbol.asyncDispose]());

  test("when the API is asked over TLS, then the authority of the kubeconfig vouches for it, and nobody else does", async () => {
    assert.match(server, /^https:\/\/127\.0\.0\.1:\d+$/);
    const port = new URL(server).port;
    const header = `authorization: Bearer ${tidegate.adminToken}`;
    const curl = async (url: string, args: readonly string[], code = 0): Promise<Finished> =>
      await run("curl", ["--silent", "--show-error", "--header", header, ...args, url], { env: tidegate.env, code });
    for (const host of ["localhost", "127.0.0.1", "kubernetes.default.svc"]) {
      const resolve = ["--cacert", authority, "--resolve", `${host}:${port}:127.0.0.1`];
      assert.match((await curl(`https://${host}:${port}/version`, resolve)).stdout, /"gitVersion"/);
    }
    const elsewhere = ["--cacert", authority, "--resolve", `gate.example:${port}:127.0.0.1`];
    assert.match(
      (await curl(`https://gate.example:${port}/version`, elsewhere, 60)).stderr,
      /no alternative certificate/i,
    );
    assert.match((await curl(`${server}/version`, [], 60)).stderr, /certificate/);
    const unknown = await refused(["--kubeconfig", "/dev/null", "--server", server, "--token", "x", "get", "pods"]);
    assert.match(unknown, /certificate signed by unknown authority/);
    // The path behind the control port stays, for programs on this machine.
    assert.match((await curl(`${tidegate.url}/kube/version`, [])).stdout, /"gitVersion"/);
    for (const name of ["kubernetes-ca.key", "kubernetes-server.key", "service-accounts.key"]) {
      assert.equal((await stat(join(tidegate.home, "keys", name))).mode & 0o777, 0o600, name);
    }
  });

  test("when the API is looked for in the cluster, then a Service leads to it, and comes back when it was taken away", async () => {
    const read = async (what: string, path: string): Promise<string> =>
      (await kubectl(["get", "-n", "default", ...what.split(" "), "-o", `jsonpath=${path}`])).stdout;
    const port = new URL(server).port;
    const target = "{.spec.ports[0].targetPort}";
    assert.equal(await read("service kubernetes", `{.spec.ports[0].port} ${target}`), `443 ${port}`);
    assert.match(await read("service kubernetes", "{.spec.clusterIP}"), /^10\./);
    const slice = "endpointslices -l kubernetes.io/service-name=kubernetes";
    const [address, number, ...more] = (
      await read(slice, "{range .items[*]}{.endpoints[*].addresses[*]} {.ports[*].port} {end}")
    )
      .trim()
      .split(" ");
    assert.deepEqual([number, more], [port, []]);
    const header = `authorization: Bearer ${tidegate.adminToken}`;
    const asked = ["--silent", "--cacert", authority, "--header", header, `https://${address}:${number}/version`];
    assert.match((await run("curl", asked, { env: tidegate.env })).stdout, /"gitVersion"/);
    assert.equal(await read("endpoints kubernetes", "{.subsets[*].ports[*].port}"), port);

    for (const kind of ["service", "endpointslice", "endpoints"]) {
      await kubectl(["delete", "-n", "default", kind, "kubernetes"]);
      await kubectl(["wait", "-n", "default", "--for=create", `${kind}/kubernetes`, "--timeout=60s"]);
    }
    const patch = '[{"op":"replace","path":"/spec/ports/0/targetPort","value":1}]';
    await kubectl(["patch", "-n", "default", "service", "kubernetes", "--type=json", "-p", patch]);
    await kubectl(["wait", "-n", "default", `--for=jsonpath=${target}=${port}`, "service/kubernetes", "--timeout=60s"]);
    // The router has no part in it.
    const host = ["--silent", "--header", "host: kubernetes.default.localhost", "--write-out", "%{http_code}"];
    assert.match(
      (await run("curl", [...host, `http://127.0.0.1:${tidegate.trafficPort}`], { env: tidegate.env })).stdout,
      /404$/,
    );
  });

  test("when a user gets a kubeconfig, then it opens what a binding to the user's group says, and the secret is nowhere else", async () => {
    const file = join(tidegate.scratch, "ada.yaml");
    const made = await tidegate.cli([
      ..."kubeconfig --user ada --group developers --days 30 -n team -o".split(" "),
      file,
    ]);
    assert.match(made.stdout, /is the kubeconfig of ada, until \d{4}-/);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    const ada = { kubeconfig: file };
    assert.match(
      (await kubectl(["auth", "whoami"], ada)).stdout,
      /Username +ada\nGroups +\[developers system:authenticated\]/,
    );
    assert.equal(
      await refused(["get", "pods"], ada),
      'Error from server (Forbidden): pods is forbidden: User "ada" cannot list resource "pods" in API group "" in the namespace "team"',
    );
    await kubectl("create rolebinding developers --clusterrole=edit --group=developers -n team".split(" "));
    assert.equal(
      (await kubectl(["create", "configmap", "mine", "--from-literal=a=1"], ada)).stdout,
      "configmap/mine created\n",
    );
    for (const [question, answer] of [
      ["create deployments", "yes"],
      ["create rolebindings", "no"],
      ["get pods -n other", "no"],
      ["list nodes", "no"],
      ["delete pods --subresource=log", "no"],
      ["get pods --subresource=log", "yes"],
    ] as const) {
      const args = ["auth", "can-i", ...question.split(" ")];
      const { stdout } = await kubectl(args, { ...ada, code: answer === "yes" ? 0 : 1 });
      assert.equal(stdout.trim(), answer, question);
    }
    const { stdout: list } = await kubectl(["auth", "can-i", "--list", "-n", "team"], ada);
    assert.match(list, /^secrets +\[\] +\[\] +\[get list watch create delete deletecollection patch update\]$/m);
    // It is a token for the cluster, and for nothing else of Tidegate's.
    const token = /token: (\S+)/.exec(await readFile(file, "utf8"))?.[1] ?? "";
    for (const path of ["/api/tidegate/v1/status", "/metrics", "/prometheus/api/v1/query?query=up"]) {
      const response = await fetch(tidegate.url + path, { headers: { authorization: `Bearer ${token}` } });
      assert.ok([401, 403].includes(response.status), `${path} answered ${response.status}`);
    }
    const { items } = await tidegate.api<{ items: { id: string; name: string }[] }>("/tokens");
    const row = items.find(({ name }) => name === "kubeconfig of ada");
    await tidegate.cli(["token", "revoke", row?.id ?? ""]);
    assert.match(await refused(["get", "pods"], ada), /You must be logged in to the server \(Unauthorized\)/);
  });

  test("when a service account may read the pods of one namespace, then its kubeconfig does that and nothing else", async () => {
    await kubectl("create serviceaccount reader -n team".split(" "));
    await kubectl("create role pod-reader --verb=get,list,watch --resource=pods,pods/log -n team".split(" "));
    await kubectl("create rolebinding reader --role=pod-reader --serviceaccount=team:reader -n team".split(" "));
    const file = join(tidegate.scratch, "reader.yaml");
    await tidegate.cli(["kubeconfig", "--service-account", "team/reader", "--duration", "24h", "-o", file]);
    const reader = { kubeconfig: file };
    const { stdout: who } = await kubectl(["auth", "whoami"], reader);
    assert.match(who, /Username +system:serviceaccount:team:reader\n/);
    assert.match((await kubectl(["get", "pods"], reader)).stderr, /No resources found in team namespace/);
    for (const args of [
      ["get", "secrets"],
      ["get", "pods", "-n", "other"],
      ["get", "pods", "-A"],
      ["delete", "pod", "x"],
    ]) {
      assert.match(
        await refused(args, reader),
        /is forbidden: User "system:serviceaccount:team:reader" cannot/,
        args.join(" "),
      );
    }
    const { stdout: token } = await kubectl("create token reader -n team --duration 10m".split(" "));
    const named = ["--kubeconfig", "/dev/null", "--server", server, "--certificate-authority", authority];
    const withToken = [...named, "--token", token.trim(), "-n", "team"];
    assert.match((await kubectl([...withToken, "get", "pods"])).stderr, /No resources found/);
    await tidegate.cli(["kubeconfig", "--service-account", "team/nobody"], 1);
    await kubectl(["delete", "serviceaccount", "reader", "-n", "team"]);
    assert.match(await refused([...withToken, "get", "pods"]), /Unauthorized/);
  });

  test("when an admin asks as somebody else, then the answers are that one's, and others may not ask so", async () => {
    const as = ["--as", "bob", "--as-group", "auditors"];
    await kubectl("create clusterrolebinding auditors --clusterrole=view --group=auditors".split(" "));
    assert.match(
      (await kubectl(["auth", "whoami", ...as])).stdout,
      /Username +bob\nGroups +\[auditors system:authenticated\]/,
    );
    await kubectl(["get", "configmaps", "-n", "team", ...as]);
    assert.match(await refused(["get", "secrets", "-n", "team", ...as]), /User "bob" cannot list resource "secrets"/);
    const file = join(tidegate.scratch, "bob.yaml");
    await tidegate.cli(["kubeconfig", "--user", "bob", "--group", "auditors", "-o", file]);
    assert.equal(
      await refused(["get", "pods", "--as", "ada"], { kubeconfig: file }),
      'Error from server (Forbidden): users "ada" is forbidden: User "bob" cannot impersonate resource "users" in API group "" at the cluster scope',
    );
    // Changing what one may, by writing roles, is refused with what is lacking.
    await kubectl("create rolebinding lead --clusterrole=admin --user=bob -n team".split(" "));
    const grab = "create rolebinding grab --clusterrole=cluster-admin --user=bob -n team".split(" ");
    assert.match(
      await refused(grab, { kubeconfig: file }),
      /attempting to grant RBAC permissions not currently held:\n\{APIGroups:\["\*"\]/,
    );
  });

  test("when roles are reconciled from a file, then what is missing is added, and a second time nothing", async () => {
    const reconcile = async (): Promise<string> => {
      const { stdout, stderr } = await kubectl(["auth", "reconcile", "-f", "-"], { input: reconciled });
      return stdout + stderr;
    };
    assert.match(
      await reconcile(),
      /clusterrole\S+\/node-reader reconciled\n[\s\S]*clusterrolebinding\S+\/node-reader reconciled/,
    );
    await kubectl([
      "patch",
      "clusterrole",
      "node-reader",
      "--type=json",
      "-p",
      '[{"op":"replace","path":"/rules/0/verbs","value":["get"]}]',
    ]);
    assert.match(await reconcile(), /Verbs:\[list\]/);
    assert.match((await kubectl(["auth", "can-i", "list", "nodes", "--as", "carol"])).stdout, /^yes/);
    assert.doesNotMatch(await reconcile(), /required update/);
  });

  test("when a pod asks the API with what it finds in its files, then it is its service account, and may what that may", async () => {
    const image = await pushImage(tidegate, "acme/web", "v1");
    await kubectl("create serviceaccount looker -n team".split(" "));
    await kubectl("create rolebinding looker --clusterrole=view --serviceaccount=team:looker -n team".split(" "));
    await kubectl(["apply", "-n", "team", "-f", "-"], { input: askingPod(image) });
    await kubectl("wait --for=jsonpath={.status.phase}=Succeeded pod/looker -n team --timeout=60s".split(" "));
    const { stdout } = await kubectl(["logs", "looker", "-n", "team"]);
    assert.match(stdout, /"username":"system:serviceaccount:team:looker"/);
    assert.match(stdout, /"authentication.kubernetes.io\/pod-name":\["looker"\]/);
    assert.match(stdout, /"kind":"PodList"/);
    assert.match(stdout, /secrets is forbidden: User \\"system:serviceaccount:team:looker\\" cannot list/);
  });

  test("when the control process is killed, then the authority, the tokens and the address are what they were", async () => {
    await kubectl("create serviceaccount steady -n team".split(" "));
    const { stdout: token } = await kubectl("create token steady -n team".split(" "));
    const before = await readFile(tidegate.env["KUBECONFIG"] ?? "", "utf8");
    const former = await tidegate.controlPid();
    process.kill(former, "SIGKILL");
    await anotherControl(tidegate, former);
    assert.equal(await readFile(tidegate.env["KUBECONFIG"] ?? "", "utf8"), before);
    const named = ["--kubeconfig", "/dev/null", "--server", server, "--certificate-authority", authority];
    const { stdout } = await kubectl([...named, "--token", token.trim(), "auth", "whoami"]);
    assert.match(stdout, /system:serviceaccount:team:steady/);
  });
});

/** It notes its pid once it listens; nobody who could announce that lives through the kill. */
async function anotherControl(tidegate: Tidegate, former: number): Promise<void> {
  for (let attempt = 1; attempt <= 300; attempt++) {
    if ((await tidegate.controlPid()) !== former) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("No other control process came within 30 s");
}

/** Curl in a pod, as any program that was written for a cluster would ask. */
function askingPod(image: string): string {
  const api = "https://$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT";
  const review = '-X POST -H "content-type: application/json" -d "{}"';
  return `
apiVersion: v1
kind: Pod
metadata: { name: looker }
spec:
  serviceAccountName: looker
  restartPolicy: Never
  containers:
    - name: curl
      image: ${image}
      command: [sh, -ec]
      args:
        - |
          files=\${TIDEGATE_ROOT:-}/var/run/secrets/kubernetes.io/serviceaccount
          namespace=$(cat $files/namespace)
          ask() { curl -sS --cacert $files/ca.crt -H "authorization: Bearer $(cat $files/token)" "$@"; echo; }
          ask ${review} ${api}/apis/authentication.k8s.io/v1/selfsubjectreviews
          ask ${api}/api/v1/namespaces/$namespace/pods
          ask ${api}/api/v1/namespaces/$namespace/secrets
`;
}

const reconciled = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: node-reader }
rules: [{ apiGroups: [""], resources: [nodes], verbs: [get, list] }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: node-reader }
subjects: [{ apiGroup: rbac.authorization.k8s.io, kind: User, name: carol }]
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: node-reader }
`;
