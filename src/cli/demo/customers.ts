/** Starts the process that plays the customers and collects what it reports. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { RequestReport } from "./traffic-log.ts";

export interface CustomersOptions {
  readonly nodePath: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly host: string;
  readonly port: number;
  readonly hostHeader: string;
  readonly requestsPerSecond: number;
}

export interface Customers extends AsyncDisposable {
  /** Everything reported so far, in the order it ended. */
  readonly reports: readonly RequestReport[];
}

const paths = ["/", "/api/products", "/products/kettle", "/products/teapot", "/products/cup", "/products/whisk"];

export function startCustomers(options: CustomersOptions): Customers {
  const { nodePath, environment, ...config } = options;
  const main = join(import.meta.dirname, "process", "main.ts");
  // A group of its own: Ctrl-C is for us, who end it when it has said all it saw.
  const child = spawn(nodePath, [main], {
    detached: true,
    env: { ...environment },
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdin.on("error", () => {});
  child.stdin.write(`${JSON.stringify({ ...config, paths })}\n`);
  const reports: RequestReport[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (line) => reports.push(JSON.parse(line) as RequestReport));
  const closed = new Promise<void>((resolve) => lines.once("close", () => resolve()));
  return {
    reports,
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await closed;
    },
  };
}
