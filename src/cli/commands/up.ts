import type { Command } from "commander";
import { systemClock, systemIds } from "#lib";
import { processLog, readConfig, supervise, type Endpoints } from "#server";
import { connect } from "../client.ts";
import { command, type GlobalOptions, interruptSignal } from "../command.ts";
import { CliError } from "../errors.ts";
import { paint, print, printJson } from "../output.ts";

interface UpOptions extends GlobalOptions {
  readonly host?: string;
  readonly port?: string;
  readonly trafficPort?: string;
  readonly kubePort?: string;
  readonly tlsSan?: string[];
  readonly publicUrl?: string;
  readonly routers?: string;
  readonly jobs?: string;
  readonly runtime?: string;
}

export function upCommand(): Command {
  return command("up", "Start everything and keep it running", [
    "tidegate up",
    "tidegate up --port 7070 --traffic-port 8080 --home /var/lib/tidegate",
  ])
    .option("--host <address>", "address to listen on (default: 127.0.0.1)")
    .option("--port <number>", "port of console, git, registry and APIs; 0 takes a free one (default: 7070)")
    .option("--traffic-port <number>", "port of the traffic router; 0 takes a free one (default: 8080)")
    .option("--kube-port <number>", "port of the Kubernetes API over TLS; 0 takes a free one (default: 7443)")
    .option("--tls-san <name...>", "more host names and addresses that its certificate stands for")
    .option("--public-url <url>", "where people and other machines come in, such as a proxy with TLS")
    .option("--routers <number>", "router processes that share the traffic port (default: 1)")
    .option(
      "--runtime <name>",
      "how pods run: process (isolated where image and machine can), isolated, plain, docker (default: process)",
    )
    .option("--jobs <number>", "workflow jobs at once on this machine; 0 for none (default: the number of cores)")
    .action(up);
}

async function up(options: UpOptions): Promise<void> {
  const config = readConfig({
    ...(options.home === undefined ? {} : { home: options.home }),
    ...(options.host === undefined ? {} : { host: options.host }),
    ...numeric("port", options.port),
    ...numeric("trafficPort", options.trafficPort),
    ...numeric("kubePort", options.kubePort),
    ...(options.tlsSan === undefined ? {} : { tlsSan: options.tlsSan }),
    ...(options.publicUrl === undefined ? {} : { publicUrl: options.publicUrl }),
    ...numeric("routers", options.routers),
    ...numeric("jobs", options.jobs),
    ...(options.runtime === undefined ? {} : { runtime: options.runtime }),
  });
  const signal = interruptSignal();
  const log = processLog(config, "up");
  await using supervisor = await supervise({ config, clock: systemClock, ids: systemIds, log });
  const client = await connect(config.home);
  const login = await client.api<{ url: string }>("/login-codes", { method: "POST", body: {} });
  announce(options.json === true, supervisor.endpoints, config.home, login.url);
  await Promise.race([supervisor.ended, new Promise((resolve) => signal.addEventListener("abort", resolve))]);
  if (signal.aborted && options.json !== true) {
    print('The control plane stops; traffic keeps flowing. "tidegate up" takes over again, "tidegate down" stops all.');
  }
}

function numeric(name: string, text: string | undefined): Record<string, number> {
  if (text === undefined) return {};
  if (!/^\d+$/.test(text)) throw new CliError("cli/usage", `--${name} takes a whole number: "${text}" is not one`);
  return { [name]: Number(text) };
}

function announce(json: boolean, endpoints: Endpoints, home: string, loginUrl: string): void {
  const { host, controlPort, trafficPort, kubePort } = endpoints;
  const control = `http://${host}:${controlPort}`;
  const traffic = `http://${host}:${trafficPort}`;
  if (json) {
    const kubernetes = `https://${host}:${kubePort}`;
    printJson({ control, traffic, kubernetes, home, loginUrl, kubeconfig: `${home}/kubeconfig` });
    return;
  }
  print(`${paint("Tidegate is up.", "bold")} Data in ${home}`);
  print(`  console   ${loginUrl}`);
  print(`  git       ${control}/<owner>/<repo>`);
  print(`  registry  ${host}:${controlPort}`);
  print(`  cluster   export KUBECONFIG=${home}/kubeconfig`);
  print(`  traffic   http://<service>.<namespace>.localhost:${trafficPort}`);
}
