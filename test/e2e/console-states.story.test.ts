/** Story: the console in the states that a good release never shows. The API is a stand-in, the browser is real. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import { openBrowser, openPage, skipWithoutBrowser } from "../support/browser.ts";
import { type ConsoleFixture, startConsoleFixture } from "../support/console-fixture.ts";
import { shoot } from "../support/screenshot.ts";

describe("Given a console and a server in any state", { skip: skipWithoutBrowser() }, () => {
  let browser: Browser;
  let server: ConsoleFixture;

  before(async () => {
    browser = await openBrowser();
  });
  beforeEach(async () => {
    await server?.[Symbol.asyncDispose]();
    server = await startConsoleFixture();
  });
  after(async () => {
    await browser.close();
    await server[Symbol.asyncDispose]();
  });

  test("when a delivery changes, then its row does, without a reload", async () => {
    await using opened = await openPage(browser);
    const { page, problems } = opened;
    await page.goto(server.url);
    const row = page.getByRole("listitem").filter({ hasText: "Show prices with the tax" });
    await row.getByText("Delivering").waitFor();
    const [first, ...others] = server.data.deliveries;
    assert.ok(first !== undefined);
    const stages = first.stages.map((stage) => ({ ...stage, state: "done" as const }));
    server.data.deliveries = [{ ...first, stages, outcome: "live", weight: 100 }, ...others];
    server.notify({ topic: "deliveries" });
    await row.getByText("Live", { exact: true }).waitFor();
    assert.equal(await row.getByRole("meter").getAttribute("aria-valuenow"), "100");
    assert.deepEqual(problems, []);
  });

  test("when the connection is lost, then the page says so, stays readable, and catches up afterwards", async () => {
    await using opened = await openPage(browser);
    const { page } = opened;
    await page.goto(`${server.url}/rollouts`);
    await page.getByText("Live", { exact: true }).waitFor();
    const { rolloutDetail } = server.data;
    server.data.rolloutDetail = { ...rolloutDetail, phase: "Healthy" };
    server.dropStreams();
    await page.getByText("Reconnecting").waitFor();
    assert.ok(await page.getByRole("link", { name: /shop/ }).first().isVisible());
    await page.getByText("Live", { exact: true }).waitFor();
    await page.getByText("Healthy").waitFor();
  });

  test("when there is no session, then the page says how to get one", async () => {
    server.signedOut = true;
    await using opened = await openPage(browser);
    await opened.page.goto(`${server.url}/runs`);
    await opened.page.getByText("tidegate token login").waitFor();
    await shoot(opened.page, "sign-in");
  });

  test("when a log has 50,000 lines, then it opens at the error, scrolls, and is searched without a pause", async () => {
    server.logSize = 50_000;
    await using opened = await openPage(browser);
    const { page, problems } = opened;
    await page.goto(`${server.url}/runs/run-41`);
    await page.getByText("50,000 lines").waitFor();
    await page.locator(".log-error").waitFor();
    assert.ok((await page.locator(".log-row").count()) < 150, "only the rows in sight exist");
    await page.keyboard.press("/");
    await page.keyboard.type("quick brown");
    const found = page.locator(".log-found");
    await found.getByText(/^1 of 5000\+$/).waitFor();
    await page.keyboard.press("Enter");
    await found.getByText(/^2 of /).waitFor();
    const slowest = await page.evaluate<number>(scrollThrough);
    assert.ok(slowest < 400, `the slowest frame while scrolling took ${slowest} ms`);
    assert.deepEqual(problems, []);
  });

  test("when a line is linked to, then the link opens it, out of its folded group too", async () => {
    await using opened = await openPage(browser);
    const { page } = opened;
    await page.goto(`${server.url}/runs/run-41#step-2-line-3`);
    const line = page.locator(".log-tone-marked");
    await line.waitFor();
    assert.match((await line.textContent()) ?? "", /^3.*2 the quick brown/);
    await page.getByRole("link", { name: "Link to line 10", exact: true }).first().click();
    assert.match(page.url(), /#step-2-line-10$/);
  });

  test("when a job runs, then its log follows the end until the reader scrolls up", async () => {
    await using opened = await openPage(browser);
    const { page } = opened;
    await page.goto(`${server.url}/runs/run-42`);
    await page.getByText("still at it, 20").waitFor();
    const follow = page.getByRole("button", { name: "Follow" });
    assert.equal(await follow.getAttribute("aria-pressed"), "true");
    await page.locator(".virtual-list").hover();
    await page.mouse.wheel(0, -300);
    await page.locator('button[aria-pressed="false"]', { hasText: "Follow" }).waitFor();
    await follow.click();
    await page.getByText("still at it, 40").waitFor();
  });

  test("when an action cannot be taken back, then it is confirmed first, and a refusal is shown", async () => {
    await using opened = await openPage(browser);
    const { page } = opened;
    server.data.rolloutDetail = { ...server.data.rolloutDetail, actions: ["abort", "undo"] };
    await page.goto(`${server.url}/rollouts/shop/shop`);
    await page.getByRole("button", { name: "Abort" }).click();
    assert.deepEqual(server.posted, []);
    const dialog = page.getByRole("dialog");
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    assert.deepEqual(server.posted, []);
    await page.getByRole("button", { name: "Abort" }).click();
    await shoot(page, "confirm");
    await dialog.getByRole("button", { name: "Abort" }).click();
    await dialog.waitFor({ state: "detached" });
    assert.deepEqual(server.posted, ["/rollouts/shop/shop/abort"]);
    await page.getByRole("button", { name: "Undo" }).click();
    await dialog.getByRole("button", { name: "Undo" }).click();
    await dialog.getByText("There is no earlier revision to go back to").waitFor();
  });

  for (const scheme of ["light", "dark"] as const) {
    test(`when a deployment waits, then its reviewer approves it by the keyboard alone, ${scheme}`, async () => {
      await using opened = await openPage(browser, { colorScheme: scheme });
      const { page, problems } = opened;
      await page.goto(`${server.url}/runs`);
      await page.getByText("2 environments; 1 deployment waits for a review or a timer").click();
      await page.getByRole("list", { name: "Environments" }).getByText("Waiting", { exact: true }).waitFor();
      await shoot(page, `environments-${scheme}`);
      await page.getByText("3 runners: 1 busy, 1 idle, 1 offline").click();
      const runners = page.getByRole("list", { name: "Runners" });
      await runners.getByRole("link", { name: "quality" }).waitFor();
      await runners.getByText("never seen").waitFor();
      await page.goto(`${server.url}/runs/run-43`);
      const panel = page.getByRole("region", { name: "Deployments to environments" });
      await panel.getByText("Deploy to Production waits to deploy to production").waitFor();
      await panel.getByText("mira or team platform may approve").waitFor();
      await panel.getByText("Looked at the preview, prices are right").waitFor();
      await shoot(page, `review-${scheme}`);
      await panel.getByRole("button", { name: "Reject" }).focus();
      await page.keyboard.press("j");
      await page.keyboard.press("Enter");
      await page.getByRole("dialog").getByText("gets the secrets of production").waitFor();
      await page.keyboard.type("Checked on staging");
      await shoot(page, `approve-${scheme}`);
      await page.keyboard.press("Control+Enter");
      await page.getByRole("dialog").waitFor({ state: "detached" });
      assert.deepEqual(server.posted, ["/runs/run-43/reviews"]);
      assert.deepEqual(problems, []);
    });
  }

  test("when a workflow file or an application is broken, then file, line and remedy stand at the top", async () => {
    await using opened = await openPage(browser);
    const { page, problems } = opened;
    await page.goto(`${server.url}/runs/run-37`);
    const alert = page.getByRole("alert");
    await alert.getByText(".github/workflows/ci.yml:31:13").waitFor();
    await alert.getByText("use one of lint, test").waitFor();
    await shoot(page, "broken-workflow");
    await page.goto(`${server.url}/applications/argocd/shop?show=diff`);
    await alert.getByText("apps/shop/overlays/production/kustomization.yaml:7:5", { exact: true }).waitFor();
    await page.getByText("inconclusiveLimit: 3").waitFor();
    await shoot(page, "differences");
    assert.deepEqual(problems, []);
  });

  test("when a job wrote a summary, then it is shown as Markdown, and nothing of it runs", async () => {
    await using opened = await openPage(browser);
    const { page, problems } = opened;
    await page.goto(`${server.url}/runs/run-41`);
    const summary = page.getByRole("region", { name: "Summary of test" });
    await summary.getByRole("heading", { name: "1 of 214 tests failed" }).waitFor();
    await summary.getByRole("cell", { name: "payments" }).getByText("payments").waitFor();
    assert.equal(await summary.getByRole("link").count(), 1);
    const report = summary.getByRole("link", { name: "the report" });
    assert.equal(await report.getAttribute("rel"), "noopener noreferrer nofollow");
    assert.equal(await summary.locator("script, img, form, input, [style], [onclick]").count(), 0);
    assert.ok(!(await page.title()).includes("stolen"));
    await shoot(page, "summary");
    assert.deepEqual(problems, []);
  });

  for (const width of [390, 820]) {
    test(`when the window is ${width} wide, then no page is wider than it`, async () => {
      await using opened = await openPage(browser, { viewport: { width, height: 900 } });
      const { page } = opened;
      for (const path of [
        "/",
        "/runs",
        "/runs/run-41",
        "/runs/run-42",
        "/runs/run-43",
        "/applications",
        "/applications/argocd/shop",
        "/rollouts/shop/shop",
      ]) {
        await page.goto(server.url + path);
        await page.getByRole("heading", { level: 1 }).waitFor();
        const wide = await page.evaluate<number>("document.documentElement.scrollWidth");
        assert.ok(wide <= width, `${path} is ${wide} wide`);
      }
    });
  }
});

/** Runs in the page: forty jumps through the log; the longest time from a jump to the next painted frame. */
const scrollThrough = `(async () => {
  const list = document.querySelector(".virtual-list");
  let slowest = 0;
  for (let part = 0; part <= 40; part++) {
    const started = performance.now();
    list.scrollTop = (list.scrollHeight * part) / 40;
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    slowest = Math.max(slowest, performance.now() - started);
  }
  return slowest;
})()`;
