/** The thread that reads one large workflow file; see `workflow-reader.ts`. */
import { parentPort, workerData } from "node:worker_threads";
import { parseWorkflowFile } from "./workflow-file.ts";

const { path, text } = workerData as { readonly path: string; readonly text: string };
// A port of a thread has no origin: the rule means windows.
// oxlint-disable-next-line unicorn/require-post-message-target-origin
parentPort?.postMessage(parseWorkflowFile(path, text));
