/** Story: somebody who is called at night goes into pods with kubectl: runs, copies, forwards, follows, cleans up. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { deployment, service } from "../support/manifests.ts";
import { skipWithout } from "../support/needs.ts";
import { type Finished, follow, run } from "../support/run-command.ts";
import { pushImage } from "../support/sample-image.ts";
import { startTidegate, type Tidegate } from "../support/start-tidegate.ts";

const forever = "setInterval(() => {}, 1000)";
const skip = skipWithout("skopeo") || skipWithout("kubectl", ["version", "--client"]);

describe("Given a Deployment that serves", { skip }, () => {
  let tidegate: Tidegate;
  let image: string;
  let pod: string;

  const kubectl = (args: readonly string[], how: { code?: number; input?: string } = {}): Promise<Finished> =>
    run("kubectl", args, { env: tidegate.env, ...how });
  const exec = (program: string, how: { code?: number; input?: string } = {}): Promise<Finished> =>
    kubectl(["exec", ...(how.input === undefined ? [] : ["-i"]), pod, "--", "node", "-e", program], how);

  before(async () => {
    tidegate = await startTidegate();
    image = await pushImage(tidegate, "acme/web", "v1");
    await kubectl(["apply", "-f", "-"], { input: `${deployment("web", image)}---\n${service("web")}` });
    await kubectl(["rollout", "status", "deployment/web", "--timeout=60s"]);
    pod = (await kubectl(["get", "pods", "-l", "app=web", "-o", "jsonpath={.items[0].metadata.name}"])).stdout;
  });
  after(() => tidegate[Symbol.asyncDispose]());

  test("when a program is run inside, then its output, input, errors and exit code are those of the program", async () => {
    const { stdout, stderr } = await exec("console.log(process.env.POD ?? 'out'); console.error('err')");
    assert.deepEqual([stdout, stderr], ["out\n", "err\n"]);
    const lines = Array.from({ length: 20_000 }, (_, index) => `line ${index}\n`).join("");
    const echoed = await exec("process.stdin.pipe(process.stdout)", { input: lines });
    assert.equal(echoed.stdout, lines, "nothing of 200 KB is lost or out of order");
    assert.match((await exec("process.exit(7)", { code: 7 })).stderr, /exit code 7/);
    const unknown = await kubectl(["exec", pod, "--", "no-such-program"], { code: 1 });
    assert.match(unknown.stderr, /no-such-program/);
    assert.match(
      (await kubectl(["exec", pod, "-c", "other", "--", "ls"], { code: 1 })).stderr,
      /container (not found|other is not valid)/,
    );
    assert.equal((await kubectl(["exec", "deployment/web", "--", "node", "-p", "1+1"])).stdout, "2\n");
  });

  test("when files are copied in and out, then they arrive byte for byte", async () => {
    const here = join(tidegate.scratch, "here.bin");
    const back = join(tidegate.scratch, "back.bin");
    const content = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 31) % 256));
    await writeFile(here, content);
    await kubectl(["cp", here, `${pod}:/tmp/there.bin`]);
    await kubectl(["cp", `${pod}:/tmp/there.bin`, back]);
    assert.ok(content.equals(await readFile(back)));
  });

  test("when a port is forwarded, then requests reach the pod, many at once, and again after it was refused", async () => {
    for (const target of [`pod/${pod}`, "deployment/web", "service/web"]) {
      const port = target.startsWith("service") ? ":80" : ":8080";
      await using forward = follow("kubectl", ["port-forward", target, port], { env: tidegate.env });
      const line = await forward.line(/^Forwarding from 127.0.0.1:\d+/);
      const url = `http://127.0.0.1:${/:(\d+) /.exec(line)?.[1]}/`;
      const answers = await Promise.all(Array.from({ length: 20 }, async () => await (await fetch(url)).text()));
      assert.deepEqual(new Set(answers), new Set(["v1\n"]), target);
    }
  });

  test("when a pod is run for once, then it gets the input, its output comes back, and it is gone", async () => {
    const how = ["--rm", "-i", "--quiet", "--restart=Never", `--image=${image}`];
    const program = "process.stdin.on('data', (d) => process.stdout.write(String(d).toUpperCase()))";
    const { stdout } = await kubectl(["run", "once", ...how, "--command", "--", "node", "-e", program], {
      input: "hello\n",
    });
    assert.match(stdout, /HELLO/);
    await kubectl(["get", "pod", "once"], { code: 1 });
    const failing = ["run", "fails", ...how, "--command", "--", "node", "-e", "process.exit(4)"];
    await kubectl(failing, { code: 4, input: "" });
  });

  test("when it is asked what happened, then events and logs tell it", async () => {
    await using events = follow("kubectl", ["events", "--watch", "--for", `pod/${pod}`], { env: tidegate.env });
    await events.line(/Started/);
    assert.match((await kubectl(["logs", pod, "--since=1h", "--limit-bytes=12"])).stdout, /^v1 listens\n/);
    assert.match((await kubectl(["logs", "-l", "app=web", "--prefix"])).stdout, /^\[pod\/web-\S+\/web\] GET \/ready$/m);
    assert.match((await kubectl(["logs", pod, "--previous"], { code: 1 })).stderr, /previous terminated container/);
    assert.match((await kubectl(["get", "events", "--field-selector=reason=Started"])).stdout, /Started container web/);
  });

  test("when a pod is to be debugged, then ephemeral containers are refused and a copy can be made", async () => {
    const { stderr } = await kubectl(["debug", pod, `--image=${image}`, "--", "sh"], { code: 1 });
    assert.match(stderr, /ephemeral/i);
    const copy = [
      "debug",
      pod,
      "--copy-to=web-copy",
      `--image=${image}`,
      "--attach=false",
      "--",
      "node",
      "-e",
      forever,
    ];
    await kubectl(copy);
    await kubectl(["wait", "pod/web-copy", "--for=condition=Ready", "--timeout=30s"]);
    await kubectl(["delete", "pod", "web-copy", "--grace-period=1"]);
  });
});
