/** A git server in a process of its own that kills itself at a named instruction. For `crash.process.test.ts`. */
import { noPushChecks, type PushCheckPort } from "./index.ts";
import { startGitServer } from "./testing.ts";

export const deaths = [
  "in the check",
  "before the intent",
  "after the intent",
  "after the permission",
  "before the row",
  "after the row",
  "before the answer",
] as const;
export type Death = (typeof deaths)[number];

const [folder = "", death = ""] = process.argv.slice(2);

function die(): Promise<never> {
  process.kill(process.pid, "SIGKILL");
  return new Promise(() => {});
}

async function dieAt(point: Death): Promise<void> {
  if (point === death) await die();
}

const checks: PushCheckPort = {
  async check(push) {
    await dieAt("in the check");
    return await noPushChecks.check(push);
  },
  async accepted() {
    await dieAt("before the answer");
    return [];
  },
};

if (import.meta.main) {
  const server = await startGitServer({ folder, checks });
  const { ledger } = server.repositories;
  const prepare = ledger.prepare.bind(ledger);
  const commit = ledger.commit.bind(ledger);
  ledger.prepare = async (...args) => {
    await dieAt("before the intent");
    await prepare(...args);
    await dieAt("after the intent");
    // By then the promise chain has run on and "ok" is in the socket.
    if (death === "after the permission") setImmediate(() => void die());
  };
  ledger.commit = async (...args) => {
    await dieAt("before the row");
    await commit(...args);
    await dieAt("after the row");
  };
  process.stdout.write(`${server.port}\n`);
}
