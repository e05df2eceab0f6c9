/** For `tidegate doctor`: what pods that are processes would have on this machine. */
import { tmpdir } from "node:os";
import { detectIsolation } from "#runtime";
import { readConfig } from "./config.ts";

export async function machineIsolation(
  signal: AbortSignal,
): Promise<{ readonly isolated: boolean; readonly text: string }> {
  return await detectIsolation(tmpdir(), readConfig().hostPath, signal);
}
