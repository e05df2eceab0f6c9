/** Story: a job runs in an image of this server's registry, with a service beside it, and reaches the server from there. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import type { RunDetail, RunSummary } from "#api";
import { skipWithout } from "../support/needs.ts";
import { pushImage, rootContent } from "../support/sample-image.ts";
import { startTidegate, type Tidegate } from "../support/start-tidegate.ts";
import { until } from "../support/until.ts";
import { newRepository, type WorkCopy } from "../support/work-copy.ts";

const workflow = `
name: Boxed
on: push
permissions: { contents: read, packages: read }
jobs:
  boxed:
    runs-on: ubuntu-latest
    container:
      image: \${{ vars.REGISTRY }}/acme/boxed/toolbox:1
      env: { MOOD: good }
    services:
      web:
        image: \${{ vars.REGISTRY }}/acme/boxed/toolbox:1
        ports: [8080]
        options: --health-cmd "wget -qO- http://127.0.0.1:8080/ready" --health-interval 300ms --health-retries 60
    steps:
      - uses: actions/checkout@v4
      - run: 'echo "$MOOD, $(cat told), web says $(wget -qO- http://web:8080/), port \${{ job.services.web.ports[''8080''] != '''' }}"'
      - run: 'wget -qO- "$GITHUB_SERVER_URL/healthz"'
      - uses: actions/upload-artifact@v4
        with: { name: told, path: "\${{ github.workspace }}/told" }
`;

const engine = process.env["TIDEGATE_TEST_ENGINE"];
const noEngine = engine === undefined ? "TIDEGATE_TEST_ENGINE names no container engine" : false;
const busybox = ["/bin/busybox", "/usr/bin/busybox"].find((path) => existsSync(path)) ?? "";
const skip = noEngine || skipWithout("git") || skipWithout("skopeo") || skipWithout("busybox", ["true"]);

describe("Given a server beside a container engine", { skip }, () => {
  let tidegate: Tidegate;
  let work: WorkCopy;
  before(async () => {
    tidegate = await startTidegate({ env: { DOCKER_HOST: engine ?? "" } });
    work = await newRepository(tidegate, "acme/boxed");
    await pushImage(tidegate, "acme/boxed/toolbox", "1", rootContent("1.0", busybox));
  });
  after(async () => {
    const image = `127.0.0.1:${tidegate.controlPort}/acme/boxed/toolbox:1`;
    spawnSync("docker", ["--host", engine ?? "", "rmi", image], { stdio: "ignore" });
    await tidegate[Symbol.asyncDispose]();
  });

  test("when a job asks for a container and a service, then it has them, with the job's token for their images", async () => {
    const { sha } = await work.push("boxed", { ".github/workflows/boxed.yml": workflow, told: "from the commit\n" });
    const run = await until(tidegate, "the run's end", async () => {
      const { items } = await tidegate.api<{ items: RunSummary[] }>(`/runs?sha=${sha}`);
      const found = items[0] === undefined ? undefined : await tidegate.api<RunDetail>(`/runs/${items[0].id}`);
      return found?.status === "completed" ? found : undefined;
    });
    const log = (await tidegate.cli(["logs", run.id])).stdout;
    assert.equal(run.conclusion, "success", log);
    assert.match(log, /^good, from the commit, web says 1\.0, port true$/m);
    assert.match(log, /^\{"status":"ok"\}/m);
    assert.deepEqual(
      run.jobs[0]?.steps.map(({ name }) => name).filter((name) => name.endsWith("containers")),
      ["Initialize containers", "Stop containers"],
    );
    const { stdout } = await tidegate.cli(["runs", "artifacts", run.id]);
    assert.match(stdout, /^told /m);
  });
});
