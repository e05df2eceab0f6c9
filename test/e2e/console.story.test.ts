/** Story: a developer pushes two releases and sees them on their way in the console, in a real browser. */
import assert from "node:assert/strict";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import type { ApplicationSummary, DeliveryView, RolloutSummary, RunSummary } from "#api";
import { root } from "../../scripts/steps.ts";
import { openBrowser, openPage, skipWithoutBrowser, type WatchedPage } from "../support/browser.ts";
import { skipWithout } from "../support/needs.ts";
import { shoot } from "../support/screenshot.ts";
import { startTidegate, type Tidegate } from "../support/start-tidegate.ts";
import { keepCustomers } from "../support/traffic.ts";
import { type WorkCopy, workCopy } from "../support/work-copy.ts";

const examples = join(root, "examples");
/** A build, a sync and three measurements; on a slow machine several times over. */
const deliveryMs = 120_000;
/** Tells whether the page was loaded anew: the mark would be gone. */
const mark = "window.notReloaded = true";
const marked = "window.notReloaded === true";

describe(
  "Given a fresh Tidegate, a shop to deliver, and a browser",
  { skip: skipWithoutBrowser() || skipWithout("git") },
  () => {
    let tidegate: Tidegate;
    let browser: Browser;
    let shop: WorkCopy;

    before(async () => {
      tidegate = await startTidegate();
      browser = await openBrowser();
      const folder = join(tidegate.scratch, "shop");
      await cp(join(examples, "shop"), folder, { recursive: true });
      shop = workCopy(tidegate, folder);
      await shop.git(["init", "--quiet", "--initial-branch=main"]);
      await tidegate.cli(["init", folder, "--name", "acme/shop", "--health", "/healthz"]);
    });
    after(async () => {
      await browser?.close();
      await tidegate[Symbol.asyncDispose]();
    });

    /** Signed in the way people are: by a link that is good once. */
    const signIn = async (options: Parameters<typeof openPage>[1] = {}): Promise<WatchedPage> => {
      const opened = await openPage(browser, options);
      const { url } = await tidegate.api<{ url: string }>("/login-codes", { method: "POST", body: {} });
      await opened.page.goto(url);
      await opened.page.getByText("Live", { exact: true }).first().waitFor();
      return opened;
    };
    const deliver = async (message: string): Promise<void> => {
      await shop.commit(message);
      await shop.git(["push", "--quiet", "tidegate", "HEAD:main"]);
    };

    test("when nobody is signed in, then the console says how to", async () => {
      await using opened = await openPage(browser);
      await opened.page.goto(tidegate.url);
      await opened.page.getByText("tidegate token login").waitFor();
    });

    test("when a release is pushed, then its row moves through all stages to live, without a reload", async () => {
      await using opened = await signIn();
      const { page, problems } = opened;
      await page.evaluate(mark);
      await deliver("Open the shop");
      const row = page.getByRole("listitem").filter({ hasText: "Open the shop" });
      await row.getByText("Delivering").waitFor();
      await row.getByText("Live", { exact: true }).waitFor({ timeout: deliveryMs });
      await row.getByRole("img", { name: "production: done" }).waitFor();
      await row.getByRole("button", { name: "Open the shop" }).click();
      await page
        .getByText(/^Synced shop to/)
        .first()
        .waitFor();
      assert.equal(await page.evaluate(marked), true);
      assert.deepEqual(problems, []);
    });

    test("when the next one is a canary, then its page shows the share, the measurements and the end of it live", async () => {
      await using opened = await signIn();
      await using _customers = keepCustomers(tidegate, "shop.production.localhost");
      const { page, problems } = opened;
      await page.evaluate(mark);
      await cp(join(examples, "releases", "v2"), shop.folder, { recursive: true });
      await deliver("Show prices on the home page");
      const row = page.getByRole("listitem").filter({ hasText: "Show prices on the home page" });
      await row.locator('[role="meter"][aria-valuenow="10"]').waitFor({ timeout: deliveryMs });
      await shoot(page, "deliveries-canary");
      await row.getByText(/^10 % of traffic/).click();
      await page.getByRole("heading", { level: 1, name: "shop" }).waitFor();
      await page.getByRole("button", { name: "Abort" }).waitFor();
      await page.getByRole("cell", { name: "Successful" }).first().waitFor({ timeout: deliveryMs });
      await shoot(page, "rollout-canary");
      await page.getByText("all steps done").waitFor({ timeout: deliveryMs });
      await page.getByText("Healthy").first().waitFor();
      assert.equal(await page.evaluate(marked), true);
      assert.deepEqual(problems, []);
    });

    test("when only the keyboard is used, then every page, row, search and overview can be reached and left", async () => {
      await using opened = await signIn();
      const { page, problems } = opened;
      const { keyboard } = page;
      for (const [key, heading] of [
        ["r", "Runs"],
        ["a", "Applications"],
        ["o", "Rollouts"],
        ["d", "Deliveries"],
        ["r", "Runs"],
      ] as const) {
        await keyboard.press("g");
        await keyboard.press(key);
        await page.getByRole("heading", { level: 1, name: heading }).waitFor();
      }
      await page
        .getByRole("link", { name: /Deliver/ })
        .first()
        .waitFor();
      await keyboard.press("j");
      await keyboard.press("j");
      await keyboard.press("k");
      await keyboard.press("Enter");
      await page.getByText("Lint and test").first().waitFor();
      await keyboard.press("/");
      await keyboard.type("subtest");
      await page.getByText(/^1 of \d+$/).waitFor();
      await keyboard.press("Escape");
      await keyboard.press("Escape");
      await keyboard.press("?");
      await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
      await keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
      assert.deepEqual(problems, []);
    });

    for (const colorScheme of ["light", "dark"] as const) {
      test(`when every page is visited in ${colorScheme}, then none complains and nothing is fetched in vain`, async () => {
        await using opened = await signIn({ colorScheme });
        const { page, problems } = opened;
        for (const [name, path, sign] of await pagesOf(tidegate)) {
          await page.goto(tidegate.url + path);
          await page.locator(sign).first().waitFor();
          await page.waitForLoadState("load");
          await shoot(page, `${name}-${colorScheme}`);
        }
        assert.deepEqual(problems, []);
      });
    }
  },
);

/** Name, address, and what is there when the page has drawn itself. */
async function pagesOf(tidegate: Tidegate): Promise<readonly (readonly [string, string, string])[]> {
  const first = async <T>(path: string): Promise<T> => {
    const { items } = await tidegate.api<{ items: readonly T[] }>(path);
    assert.ok(items[0] !== undefined, `${path} lists something`);
    return items[0];
  };
  const delivery = await first<DeliveryView>("/deliveries");
  const run = await first<RunSummary>("/runs");
  const app = await first<ApplicationSummary>("/applications");
  const rollout = await first<RolloutSummary>("/rollouts");
  const appPath = `/applications/${app.namespace}/${app.name}`;
  return [
    ["deliveries", `/?open=${encodeURIComponent(delivery.id)}`, ".trace-rail circle"],
    ["runs", "/runs", ".runs-row"],
    ["run", `/runs/${run.id}`, ".log-row .log-number"],
    ["applications", "/applications", ".applications-row"],
    ["application", appPath, ".react-flow__edge-path"],
    ["application-history", `${appPath}?show=history`, ".history-row"],
    ["rollouts", "/rollouts", ".rollouts-row"],
    ["rollout", `/rollouts/${rollout.namespace}/${rollout.name}`, ".chart-plot canvas"],
  ];
}
