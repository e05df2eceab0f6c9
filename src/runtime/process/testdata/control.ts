/** A control process for tests: starts one container, says where it serves, and waits to be killed. */
import { join } from "node:path";
import { silentLog, systemClock, systemIds } from "#lib";
import { specOf, written } from "../../runtime.cases.ts";
import { openProcessRuntime } from "../open-process-runtime.ts";
import { ImageSourceFake } from "../../testing.ts";
import { serverImage } from "./server-image.ts";

const folder = process.argv[2] ?? "";
const source = new ImageSourceFake(join(folder, "blobs"));
await source.add("registry.test/app:1", ...serverImage);
const runtime = await openProcessRuntime({
  podsFolder: join(folder, "pods"),
  imagesFolder: join(folder, "images"),
  source,
  hostPath: process.argv[3] ?? "",
  clock: systemClock,
  ids: systemIds,
  log: silentLog,
  signal: AbortSignal.timeout(60_000),
});
const { args: _, ...spec } = await specOf(runtime, "");
const { id } = await runtime.startContainer(spec, AbortSignal.timeout(60_000));
await written(runtime, id, "listening");
process.stdout.write(JSON.stringify({ id, port: spec.network.ports["8080"] }));
process.stdin.resume();
