/** Story: the same application runs isolated, and in a container engine, and is rolled out in both without a failed request. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { deployment, rolloutWithService, service } from "../support/manifests.ts";
import { skipWithout } from "../support/needs.ts";
import { type Finished, run } from "../support/run-command.ts";
import { pushImage, rootContent } from "../support/sample-image.ts";
import { startTidegate, type Tidegate } from "../support/start-tidegate.ts";
import { keepCustomers, untilAnswer, visit } from "../support/traffic.ts";

const busybox = ["/bin/busybox", "/usr/bin/busybox"].find((path) => existsSync(path));
const missing =
  skipWithout("skopeo") ||
  skipWithout("kubectl", ["version", "--client"]) ||
  (busybox === undefined && "busybox is not on this machine");
const engine = [
  process.env["TIDEGATE_TEST_ENGINE"],
  process.env["DOCKER_HOST"],
  "/var/run/docker.sock",
  "/run/podman/podman.sock",
]
  .map((address) => address?.replace(/^unix:\/\//, ""))
  .find((path) => path !== undefined && existsSync(path));

interface Setting {
  readonly runtime: "process" | "docker";
  readonly skip: string | false;
  /** Scheme of container ids. */
  readonly scheme: string;
}

const settings: readonly Setting[] = [
  { runtime: "process", scheme: "process", skip: missing || (process.getuid?.() !== 0 && "isolation takes root") },
  { runtime: "docker", scheme: "docker", skip: missing || (engine === undefined && "no container engine is here") },
];

for (const { runtime, skip, scheme } of settings) {
  describe(`Given tidegate up --runtime ${runtime} and an image with a root file system of its own`, { skip }, () => {
    let tidegate: Tidegate;
    let v1: string;
    let v2: string;

    const kubectl = (...args: string[]): Promise<Finished> => run("kubectl", args, { env: tidegate.env });
    const apply = (input: string): Promise<Finished> =>
      run("kubectl", ["apply", "-f", "-"], { env: tidegate.env, input });
    const jsonpath = async (what: string[], path: string): Promise<string> =>
      (await kubectl("get", ...what, "-o", `jsonpath=${path}`)).stdout;

    before(async () => {
      tidegate = await startTidegate({
        runtime,
        ...(engine === undefined ? {} : { env: { DOCKER_HOST: `unix://${engine}` } }),
      });
      v1 = await pushImage(tidegate, "acme/web", "v1", rootContent("v1", busybox ?? ""));
      v2 = await pushImage(tidegate, "acme/web", "v2", rootContent("v2", busybox ?? ""));
    });
    after(() => tidegate[Symbol.asyncDispose]());

    test("two pods listen on the same port, each at its own address, and serve", async () => {
      await apply(`${deployment("web", v1, 2)}---\n${service("web")}`);
      await kubectl("rollout", "status", "deployment/web", "--timeout=120s");
      await untilAnswer(tidegate, "web.default.localhost", ({ status, body }) => status === 200 && body === "v1\n");
      const ips = (await jsonpath(["pods", "-l", "app=web"], "{.items[*].status.podIP}")).split(" ");
      assert.equal(new Set(ips).size, 2);
      assert.ok(!ips.includes("127.0.0.1"), ips.join());
      const ids = await jsonpath(["pods", "-l", "app=web"], "{.items[*].status.containerStatuses[0].containerID}");
      for (const id of ids.split(" ")) assert.ok(id.startsWith(`${scheme}://`), id);
    });

    test("a container sees neither the data folder nor processes of the machine", async () => {
      const { stdout } = await kubectl(
        "exec",
        "deploy/web",
        "--",
        "sh",
        "-c",
        `ls ${tidegate.home} 2>&1; ps | grep -c '[s]erver/process'; ls /`,
      );
      assert.match(stdout, /No such file or directory\n0\nbin\n/);
    });

    test(
      "a container reaches services by their names, and the API at the port that everybody knows",
      { skip: runtime === "docker" && "names are of isolated pods" },
      async () => {
        const name = "web.default.svc.cluster.local";
        await apply(`apiVersion: v1
kind: Pod
metadata: { name: visitor }
spec:
  restartPolicy: Never
  containers:
    - name: app
      image: ${v1}
      command: [sh, -ec]
      args: ["wget -q -O - http://${name}/; busybox nc -w 20 kubernetes.default.svc 443 < /dev/null; echo taken"]
`);
        await kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/visitor", "--timeout=60s");
        assert.equal((await kubectl("logs", "visitor")).stdout, "v1\ntaken\n");
      },
    );

    test("its log is read, and commands run beside it", async () => {
      assert.match((await kubectl("logs", "deploy/web")).stdout, /listens/);
      assert.equal((await kubectl("exec", "deploy/web", "--", "cat", "/www/index.html")).stdout, "v1\n");
    });

    test("limits and rights that the pod asks for are in force", async () => {
      await apply(`apiVersion: v1
kind: Pod
metadata: { name: strict }
spec:
  restartPolicy: Never
  securityContext: { runAsUser: 1234, runAsGroup: 1234, runAsNonRoot: true }
  containers:
    - name: app
      image: ${v1}
      command: [sh, -c, "id -u; touch /x 2>&1; grep NoNewPrivs /proc/self/status"]
      resources: { limits: { memory: 32Mi, cpu: 500m } }
      securityContext:
        readOnlyRootFilesystem: true
        allowPrivilegeEscalation: false
        capabilities: { drop: [ALL] }
        seccompProfile: { type: RuntimeDefault }
`);
      await kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/strict", "--timeout=60s");
      assert.match(
        (await kubectl("logs", "strict")).stdout,
        /^1234\ntouch: \/x: Read-only file system\nNoNewPrivs:\s1\n$/,
      );
    });

    test("a container that takes more memory than it may is ended, and its status says so", async () => {
      await apply(`apiVersion: v1
kind: Pod
metadata: { name: greedy }
spec:
  restartPolicy: Never
  containers:
    - name: app
      image: ${v1}
      command: [tail, -c, "190000000", /dev/zero]
      resources: { limits: { memory: 16Mi } }
`);
      await kubectl("wait", "--for=jsonpath={.status.phase}=Failed", "pod/greedy", "--timeout=60s");
      const state = "{.status.containerStatuses[0].state.terminated";
      const ended = await jsonpath(["pod", "greedy"], `${state}.exitCode} ${state}.reason}`);
      // Podman does not always say why.
      const wanted =
        runtime === "docker" && engine?.includes("podman") === true ? /^137 (?:OOMKilled|Error)$/ : /^137 OOMKilled$/;
      assert.match(ended, wanted);
    });

    test("what cannot be had is refused with its reason", async () => {
      await apply(`apiVersion: v1
kind: Pod
metadata: { name: mighty }
spec: { containers: [{ name: app, image: "${v1}", securityContext: { privileged: true } }] }
---
apiVersion: v1
kind: Pod
metadata: { name: elsewhere }
spec: { runtimeClassName: gvisor, containers: [{ name: app, image: "${v1}" }] }
`);
      await kubectl(
        "wait",
        "--for=jsonpath={.status.containerStatuses[0].state.waiting.reason}=RunContainerError",
        "pod/mighty",
        "--timeout=30s",
      );
      const { stdout } = await kubectl("events", "--for", "pod/elsewhere");
      assert.match(stdout, /FailedCreatePodSandBox.*"gvisor" not found/);
      await kubectl("delete", "pod", "mighty", "elsewhere", "--grace-period=0", "--force");
    });

    test("a rollout goes over to the new version by steps, and no customer notices", async () => {
      const steps = "[{ setWeight: 50 }, { pause: { duration: 1s } }]";
      const app = (image: string): string => rolloutWithService({ name: "shop", image, steps, replicas: 2 });
      await apply(app(v1));
      await untilAnswer(tidegate, "shop.default.localhost", ({ status }) => status === 200, 60);
      await using customers = keepCustomers(tidegate, "shop.default.localhost", { perSecond: 50 });
      await apply(app(v2));
      await kubectl("wait", "--for=jsonpath={.status.phase}=Healthy", "rollout/shop", "--timeout=120s");
      await untilAnswer(tidegate, "shop.default.localhost", ({ body }) => body === "v2\n", 60);
      const seen = new Set(customers.answers.map(({ status, body }) => `${status} ${body.trim()}`));
      assert.deepEqual(seen, new Set(["200 v1", "200 v2"]));
    });

    test("killing the control process loses no pod", async () => {
      const ids = ["pods", "-l", "app=web"];
      const before = await jsonpath(ids, "{.items[*].status.containerStatuses[0].containerID}");
      const pid = await tidegate.controlPid();
      process.kill(pid, "SIGKILL");
      while ((await tidegate.controlPid()) === pid) await new Promise((resolve) => setTimeout(resolve, 20));
      assert.equal((await visit(tidegate, "web.default.localhost")).status, 200);
      await kubectl("rollout", "status", "deployment/web", "--timeout=60s");
      assert.equal(await jsonpath(ids, "{.items[*].status.containerStatuses[0].containerID}"), before);
      assert.equal((await kubectl("exec", "deploy/web", "--", "cat", "/www/index.html")).stdout, "v1\n");
    });
  });
}
