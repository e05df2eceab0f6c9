/** Rotates the key in a process of its own that kills itself at a named instruction. For `secrets.process.test.ts`. */
import { join } from "node:path";
import type { KyselyPlugin } from "kysely";
import { openDatabase, silentLog, systemClock } from "#lib";
import { keyFile, type KeyStorePort, openSecrets } from "./index.ts";

export const deaths = [
  "before the new key is kept",
  "after the new key is kept",
  "amid the wrapping",
  "after the wrapping",
  "before the former key goes",
  "after the former key went",
] as const;
export type Death = (typeof deaths)[number];

const [folder = "", death = ""] = process.argv.slice(2);

function dieAt(point: Death): void {
  if (point === death) process.kill(process.pid, "SIGKILL");
}

/** Dies before a statement: of the second row of a transaction, or of the checkpoint that follows it. */
function mortalStatements(): KyselyPlugin {
  let updates = 0;
  return {
    transformQuery({ node }) {
      if (node.kind === "UpdateQueryNode" && ++updates === 2) dieAt("amid the wrapping");
      if (node.kind === "RawNode" && node.sqlFragments.join("").includes("checkpoint")) dieAt("after the wrapping");
      return node;
    },
    transformResult: ({ result }) => Promise.resolve(result),
  };
}

function mortalKeys(keys: KeyStorePort): KeyStorePort {
  const points = [
    ["before the new key is kept", "after the new key is kept"],
    ["before the former key goes", "after the former key went"],
  ] as const;
  let writes = 0;
  return {
    read: () => keys.read(),
    async write(ring) {
      const [before, after] = points[writes++] ?? [];
      if (before !== undefined) dieAt(before);
      await keys.write(ring);
      if (after !== undefined) dieAt(after);
    },
  };
}

if (import.meta.main) {
  const database = openDatabase(join(folder, "tidegate.db")).withPlugin(mortalStatements());
  const keys = mortalKeys(keyFile(join(folder, "keys", "secrets")));
  const room = await openSecrets({ database, keys, clock: systemClock, log: silentLog });
  await room.secrets.rotate();
  await database.destroy();
}
