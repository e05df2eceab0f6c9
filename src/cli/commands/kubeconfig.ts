import { chmod, writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { kubeconfigText } from "#server";
import { command, type GlobalOptions, openSession, type Session } from "../command.ts";
import { CliError } from "../errors.ts";
import { print, printJson } from "../output.ts";

interface KubeconfigOptions extends GlobalOptions {
  readonly user?: string;
  readonly group?: readonly string[];
  readonly serviceAccount?: string;
  readonly scope?: readonly string[];
  readonly days?: string;
  readonly duration?: string;
  readonly namespace?: string;
  readonly server?: string;
  readonly output?: string;
}

/** Who the kubeconfig is for, with the token that says so. */
interface Holder {
  readonly user: string;
  readonly token: string;
  readonly namespace?: string;
  readonly expiresAt?: string;
}

export function kubeconfigCommand(): Command {
  return command("kubeconfig", "Print a kubeconfig: your own, or a new one for a user or a service account", [
    "tidegate kubeconfig --user ada --group developers --days 30 -o ada.yaml",
    "tidegate kubeconfig --service-account production/deployer --duration 24h -o deployer.yaml",
    "kubectl create rolebinding developers --clusterrole=edit --group=developers -n production",
  ])
    .option("--user <name>", "make a token for this user; roles in the cluster say what it may")
    .option("--group <name...>", "groups of the user")
    .option("--scope <scope...>", "scopes of the user's token beyond the cluster's roles, e.g. git:read")
    .option("--days <number>", "the user's token ends after so many days (default: never)")
    .option("--service-account <namespace/name>", "make a token for this service account")
    .option("--duration <time>", "the service account's token ends after so long, e.g. 24h (default: 1h)")
    .option("-n, --namespace <name>", "namespace of the context (default: default, or the service account's)")
    .option("--server <url>", "how its holder reaches the Kubernetes API (default: as this machine does)")
    .option("-o, --output <file>", "write to this file, for its owner to read only")
    .action(kubeconfig);
}

async function kubeconfig(options: KubeconfigOptions): Promise<void> {
  checkOptions(options);
  const session = await openSession(options);
  const access = await session.client.api<{ port: number; authority: string }>("/cluster-access");
  const server = options.server ?? `https://${new URL(session.client.url).hostname}:${access.port}`;
  const holder = await holderOf(session, options);
  const { user, token } = holder;
  const namespace = options.namespace ?? holder.namespace ?? "default";
  const text = kubeconfigText({ server, authority: access.authority, user, token, namespace });
  if (options.output === undefined) {
    if (options.json === true) printJson({ kubeconfig: text, user, server, namespace, expiresAt: holder.expiresAt });
    else print(text.trimEnd());
    return;
  }
  await writePrivately(options.output, text);
  const { output: file } = options;
  if (options.json === true) printJson({ file, user, server, namespace, expiresAt: holder.expiresAt });
  else
    print(
      `${file} is the kubeconfig of ${user}${holder.expiresAt === undefined ? "" : `, until ${holder.expiresAt}`}.`,
    );
}

function checkOptions({ user, group, scope, days, serviceAccount, duration, server }: KubeconfigOptions): void {
  const wrong = (message: string): never => {
    throw new CliError("cli/usage", message);
  };
  if (user !== undefined && serviceAccount !== undefined) wrong("--user and --service-account exclude each other");
  if (user === undefined && (group ?? scope ?? days) !== undefined) wrong("--group, --scope and --days go with --user");
  if (serviceAccount === undefined && duration !== undefined) wrong("--duration goes with --service-account");
  if (days !== undefined && !/^\d+$/.test(days)) wrong(`--days takes a whole number: "${days}" is not one`);
  if (serviceAccount !== undefined && !/^[^/]+\/[^/]+$/.test(serviceAccount)) {
    wrong(`--service-account takes <namespace>/<name>: "${serviceAccount}" is not that`);
  }
  if (duration !== undefined) secondsOf(duration);
  if (server !== undefined && !/^https:\/\/[^/?#@]+\/?$/.test(server)) {
    wrong(`--server takes https://<host>:<port>: "${server}" is not that`);
  }
}

async function holderOf(session: Session, options: KubeconfigOptions): Promise<Holder> {
  if (options.serviceAccount !== undefined)
    return await accountHolder(session, options.serviceAccount, options.duration);
  if (options.user === undefined) {
    const { token, fromHome } = session.client.gitLogin;
    return { user: fromHome ? "admin" : "tidegate", token };
  }
  const body = {
    name: `kubeconfig of ${options.user}`,
    scopes: options.scope ?? [],
    user: options.user,
    groups: options.group ?? [],
    ...(options.days === undefined ? {} : { lifetimeSeconds: Number(options.days) * 86_400 }),
  };
  const made = await session.client.api<{ secret: string; expiresAt?: string }>("/tokens", { method: "POST", body });
  const { secret, expiresAt } = made;
  return { user: options.user, token: secret, ...(expiresAt === undefined ? {} : { expiresAt }) };
}

/** By the cluster's own API: whoever may create tokens of the account there may do it here. */
async function accountHolder({ client }: Session, account: string, duration: string | undefined): Promise<Holder> {
  const [namespace = "", name = ""] = account.split("/");
  const path = `/kube/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts/${encodeURIComponent(name)}/token`;
  const spec = duration === undefined ? {} : { expirationSeconds: secondsOf(duration) };
  const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec };
  const response = await client.request(path, { method: "POST", body });
  const { status } = (await response.json()) as { status: { token: string; expirationTimestamp: string } };
  return { user: name, token: status.token, namespace, expiresAt: status.expirationTimestamp };
}

const unitSeconds = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

function secondsOf(duration: string): number {
  const parts = [...duration.matchAll(/(\d+)([smhd])/g)];
  if (parts.length === 0 || parts.map(([whole]) => whole).join("") !== duration) {
    throw new CliError("cli/usage", `--duration takes a time like 30m or 24h: "${duration}" is not one`);
  }
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * unitSeconds[unit as keyof typeof unitSeconds], 0);
}

/** Also where the file was there before, with more readers. */
async function writePrivately(file: string, text: string): Promise<void> {
  await writeFile(file, "", { mode: 0o600 });
  await chmod(file, 0o600);
  await writeFile(file, text);
}
