import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { root } from "../../scripts/steps.ts";

/** Kept under `test-results/` for people to look at; nothing compares them. */
export async function shoot(page: Page, name: string): Promise<void> {
  const folder = join(root, "test-results");
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `console-${name}.png`), fullPage: true });
}
