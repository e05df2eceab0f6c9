/** The demo's shop on a Tidegate of a test: the same set-up and the same customers as `tidegate demo` has. */
import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RunDetail, RunLogLine, RunSummary } from "#api";
import { systemClock } from "#lib";
import { Client } from "../../src/cli/client.ts";
import type { Customers } from "../../src/cli/demo/customers.ts";
import { deliver, type Delivered, type DeliverOptions, type Release } from "../../src/cli/demo/release.ts";
import { openShop, startShopCustomers, type Shop } from "../../src/cli/demo/shop.ts";
import type { Tidegate } from "./start-tidegate.ts";

export interface TestShop extends Shop {
  readonly customers: Customers;
  deliver(release: Release, onProgress?: DeliverOptions["onProgress"]): Promise<Delivered>;
  /** `<commit> <job>` for each time that a job was really run, written by the jobs themselves. */
  executions(): Promise<string[]>;
}

const patienceMs = 240_000;

export async function openTestShop(tidegate: Tidegate): Promise<TestShop> {
  const { env, url, adminToken, scratch, trafficPort } = tidegate;
  const client = new Client(url, adminToken, true);
  const signal = AbortSignal.timeout(patienceMs);
  const shop = await openShop({ client, searchPath: env["PATH"] ?? "", folder: join(scratch, "shop"), signal });
  const witness = join(scratch, "executions");
  await appendFile(witness, "");
  await witnessJobs(join(shop.folder, ".github", "workflows", "deliver.yml"), witness);
  const requestsPerSecond = 100;
  const customers = startShopCustomers({
    nodePath: process.execPath,
    environment: env,
    trafficPort,
    requestsPerSecond,
  });
  return {
    ...shop,
    customers,
    async deliver(release, onProgress = () => {}) {
      try {
        return await deliver(release, shop, { clock: systemClock, onProgress, signal });
      } catch (error) {
        throw new Error(`Release ${release.version} was not decided:\n${await jobLogs(client)}`, { cause: error });
      }
    },
    executions: async () => (await readFile(witness, "utf8")).split("\n").filter((line) => line !== ""),
  };
}

/** What the jobs of the newest run said, for whoever has to find out why it failed. */
async function jobLogs(client: Client): Promise<string> {
  const { items } = await client.api<{ items: RunSummary[] }>("/runs?limit=1");
  const run = await client.api<RunDetail>(`/runs/${items[0]?.id}`);
  const texts = run.jobs.map(async ({ id, key, conclusion, message = "" }) => {
    const log = await (await client.request(`/api/tidegate/v1/jobs/${id}/log`)).text();
    const lines = log.split("\n").filter((line) => line !== "");
    return [`${key}: ${conclusion} ${message}`, ...lines.map((line) => (JSON.parse(line) as RunLogLine).text)];
  });
  return (await Promise.all(texts)).flat().join("\n");
}

/** Every job begins by leaving a line outside of all that Tidegate keeps. */
async function witnessJobs(workflow: string, witness: string): Promise<void> {
  const text = await readFile(workflow, "utf8");
  const step = `    steps:\n      - run: echo "$GITHUB_SHA $GITHUB_JOB" >> "${witness}"\n`;
  await writeFile(
    workflow,
    text.replaceAll("    steps:\n", () => step),
  );
}
