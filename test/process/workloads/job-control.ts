/** A control process for tests: runs the cluster of a folder until it is killed. */
import { runCluster } from "./harness.ts";

await runCluster({ folder: process.argv[2] ?? "" });
process.stdin.resume();
process.stdout.write("running\n");
