/** Story: a team that has rolled back with kubectl and helm for years runs its own script here, as it is. */
import assert from "node:assert/strict";
import { readFile, symlink, mkdir } from "node:fs/promises";
import { spawnSync } from "node:child_process";
import { delimiter, join } from "node:path";
import { test } from "node:test";
import { skipWithout } from "../support/needs.ts";
import { run } from "../support/run-command.ts";
import { pushImage } from "../support/sample-image.ts";
import { startTidegate } from "../support/start-tidegate.ts";
import { keepCustomers, untilAnswer } from "../support/traffic.ts";

const skip =
  skipWithout("skopeo") || skipWithout("kubectl", ["version", "--client"]) || skipWithout("helm3", ["version"]);
const chart = join(import.meta.dirname, "..", "testdata", "charts", "shop");
const fixture = join(import.meta.dirname, "..", "fixtures", "rollback.sh");
const versions = ["v1", "v2", "v3", "v4", "v5", "v6"] as const;

test(
  "given six releases of mc-api in production, the script of a runbook takes each step back and no customer notices",
  { skip },
  async () => {
    await using tidegate = await startTidegate();
    const host = "mc-api.production.localhost";
    const { env } = tidegate;
    for (const version of versions) {
      const image = await pushImage(tidegate, "acme/mc-api", version);
      const how = ["--install", "--create-namespace", "--wait", "--timeout", "60s", "--set", `image=${image}`];
      await run("helm3", ["upgrade", "mc-api", chart, "-n", "production", ...how], { env });
    }
    await untilAnswer(tidegate, host, ({ body }) => body === "v6\n");
    await using customers = keepCustomers(tidegate, host);

    // Not its line for the Argo CD command line: what it would do there is a git revert here.
    const lines = (await readFile(fixture, "utf8")).split("\n").filter((line) => !line.startsWith("argocd "));
    const tools = join(tidegate.scratch, "tools");
    await mkdir(tools);
    const { stdout: helm } = spawnSync("sh", ["-c", "command -v helm3"], { encoding: "utf8" });
    await symlink(helm.trim(), join(tools, "helm"));
    const path = `${tools}${delimiter}${env["PATH"]}`;
    const { stdout } = await run("bash", ["-ex"], { env: { ...env, PATH: path }, input: lines.join("\n") });

    assert.equal(stdout.match(/deployment.apps\/mc-api rolled back/g)?.length, 2);
    assert.match(stdout, /REVISION +CHANGE-CAUSE\n1 [\s\S]*\n7 /, "undo has made revision 5 the seventh");
    assert.match(stdout, /^6\s+.*deployed\s+shop-0.1.0\s+1\s+Upgrade complete/m);
    assert.match(stdout, /Rollback was a success/);
    await untilAnswer(tidegate, host, ({ body }) => body === "v5\n");
    const { stdout: image } = await run(
      "kubectl",
      ["-n", "production", "get", "deployment", "mc-api", "-o", "jsonpath={..image}"],
      { env },
    );
    assert.match(image, /:v5$/);
    assert.deepEqual([customers.failed(), customers.answers.length > 0], [0, true]);
  },
);
