/** Tools that a test needs from the machine: missing in CI is a failure, elsewhere a skip that says why. */
import { spawnSync } from "node:child_process";
import { delimiter } from "node:path";
import { peersFolder } from "../../scripts/peers.ts";

/**
 * The reason to skip, or false when the tool is there: on the PATH, or where `scripts/peers.ts` builds to, which is then
 * at the end of the PATH. Throws in CI, where `.ci/run` has to bring it.
 */
export function skipWithout(tool: string, args: readonly string[] = ["--version"]): string | false {
  lookAtPeersToo();
  const found = spawnSync(tool, args, { stdio: "ignore" });
  if (found.error === undefined) return false;
  const reason = `${tool} is not on this machine`;
  if (process.env["CI"] !== undefined && process.env["CI"] !== "")
    throw new Error(`${reason}, and .ci/run has to install it`);
  return reason;
}

function lookAtPeersToo(): void {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const peers = peersFolder();
  if (!folders.includes(peers)) process.env["PATH"] = [...folders, peers].join(delimiter);
}
