/** Writes objects for ever and says after each one what was acknowledged; its parent kills it. */
import { writeSync } from "node:fs";
import { systemClock } from "#lib";
import { ObjectStore } from "../object-store.ts";

const store = new ObjectStore({
  file: process.argv[2] ?? "",
  clock: systemClock,
  retention: { entries: 64, ageMs: 3_600_000 },
});
for (let i = 0; ; i++) {
  const key = { resource: "things", namespace: "n", name: `o${i % 50}` };
  const metadata = { name: key.name, namespace: "n" };
  const stored =
    i % 7 === 6
      ? store.remove(key)
      : store.put(key, { apiVersion: "v1", kind: "Thing", metadata, value: i, padding: "x".repeat(i % 4000) });
  if (stored !== undefined)
    writeSync(1, `${stored.metadata.resourceVersion} ${i % 7 === 6 ? "gone" : i} ${key.name}\n`);
}
