/** Ends the control process this process supervises, and with it router and pods. */
import type { Clock } from "#lib";
import type { Client } from "./client.ts";
import { CliError } from "./errors.ts";

const againMs = 50;

/**
 * Resolves when all has ended. A control process that just died is started again by its supervisor, so it is asked until
 * it hears or has ended.
 */
export async function stopEverything(client: Client, ended: Promise<void>, clock: Clock): Promise<void> {
  const over = new AbortController();
  const end = ended.then(() => over.abort());
  while (!over.signal.aborted) {
    try {
      await client.api("/system/stop", { method: "POST", body: { dataPlane: true } });
      break;
    } catch (error) {
      if (!(error instanceof CliError) || error.code !== "cli/not-running") throw error;
    }
    await clock.sleep(againMs, over.signal).catch(() => {});
  }
  await end;
}
