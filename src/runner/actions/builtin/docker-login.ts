/** `docker/login-action`: an account for a registry, kept for this job alone. */
import { parseDocument } from "yaml";
import { ImageError, normalHost } from "#images";
import { isObject } from "#lib";
import { StepFailure } from "../../errors.ts";
import { ambientCredentials } from "../aws/aws-client.ts";
import { ecrHost, privateAccounts, publicAccount, type EcrAccount } from "../aws/ecr-accounts.ts";
import type { AwsCredentials } from "../aws/sign-request.ts";
import type { ActionCall, BuiltinAction } from "../builtin-action.ts";
import { writeDockerConfig } from "../docker-login-file.ts";
import { registryClientFor } from "../own-server.ts";

export const dockerLogin: BuiltinAction = {
  name: "docker/login-action",
  inputs: {
    registry: "",
    username: "",
    password: "",
    scope: "",
    ecr: "",
    logout: "true",
    "registry-auth": "",
  },
  versions: { ecr: { since: 2 }, scope: { since: 3 }, "registry-auth": { since: 3 } },
  sensitive: ["password"],
  main: logIn,
  post: logOut,
};

/** One of those that the step names. */
interface Wanted {
  readonly registry: string;
  readonly username: string;
  readonly password: string;
  readonly ecr: string;
}

async function logIn(call: ActionCall): Promise<void> {
  call.flag("logout");
  const all = wanted(call);
  for (const { password } of all) call.mask(password);
  for (const one of all) {
    if (all.length === 1) await enter(call, one);
    else {
      call.log(`##[group]Login to ${one.registry}`);
      await enter(call, one);
      call.log("##[endgroup]");
    }
  }
}

const keys = ["registry", "username", "password", "scope", "ecr"] as const;

function wanted(call: ActionCall): readonly Wanted[] {
  const written = call.text("registry-auth");
  if (written === "") {
    return [
      {
        registry: normalHost(call.text("registry")),
        username: call.text("username"),
        password: call.text("password"),
        ecr: call.text("ecr") || "auto",
      },
    ];
  }
  if (keys.some((key) => call.text(key) !== "")) throw new StepFailure("Cannot use registry-auth with other inputs");
  const list = parsed(written);
  if (list.length === 0) throw new StepFailure("No registry to login");
  return list.map((entry) => {
    const text = (key: (typeof keys)[number]): string => {
      const value = entry[key];
      return typeof value === "string" || typeof value === "number" ? String(value) : "";
    };
    const host = normalHost(text("registry"));
    return { registry: host, username: text("username"), password: text("password"), ecr: text("ecr") || "auto" };
  });
}

function parsed(text: string): readonly Readonly<Record<string, unknown>>[] {
  const document = parseDocument(text);
  const value: unknown = document.errors.length > 0 ? undefined : document.toJS({ maxAliasCount: 10 });
  if (Array.isArray(value) && value.every(isObject)) return value;
  const found = document.errors[0]?.message.split("\n")[0] ?? "it is something else";
  throw new StepFailure(`Input "registry-auth" must be a YAML list of registry, username and password: ${found}`);
}

async function enter(call: ActionCall, { registry, username, password, ecr }: Wanted): Promise<void> {
  const amazon = ecrHost(registry);
  if (/true/i.test(ecr) || (ecr === "auto" && amazon !== undefined)) {
    const keys = username === "" || password === "" ? undefined : { accessKeyId: username, secretAccessKey: password };
    for (const account of await ecrAccounts(call, registry, keys)) await keep(call, account.registry, account);
    return;
  }
  if (username === "" || password === "") {
    const missing = username !== "" ? "Password" : password !== "" ? "Username" : "Username and password";
    throw new StepFailure(`${missing} required`);
  }
  call.log(`Logging into ${registry}...`);
  const client = registryClientFor(call, () => ({ username, password }));
  try {
    await client.checkLogin(registry, call.step.stop);
  } catch (error) {
    if (error instanceof ImageError) throw new StepFailure(error.message, error);
    throw error;
  }
  await keep(call, registry, { username, password });
}

/** With the step's own keys, or those of the steps before it. */
async function ecrAccounts(
  call: ActionCall,
  registry: string,
  keys: AwsCredentials | undefined,
): Promise<readonly EcrAccount[]> {
  call.log("Retrieving registries data through AWS SDK...");
  const credentials = keys ?? ambientCredentials(call);
  if (credentials === undefined) throw new StepFailure("Could not load credentials from any providers");
  const host = ecrHost(registry);
  if (host === undefined) throw new StepFailure(`"${registry}" is not one of Amazon's registries: leave ecr out`);
  const more = call.env("AWS_ACCOUNT_IDS").split(",");
  const ids = [...new Set([...host.accounts, ...more])].filter((id) => id !== "");
  call.log(`AWS ${host.public ? "Public ECR" : "ECR"} detected with ${host.region} region`);
  const accounts = host.public
    ? [await publicAccount(call, credentials)]
    : await privateAccounts(call, host.region, ids, credentials);
  for (const account of accounts) {
    call.mask(account.password);
    call.log(`Logging into ${account.registry}...`);
  }
  return accounts;
}

interface Account {
  readonly username: string;
  readonly password: string;
}

async function keep(call: ActionCall, host: string, { username, password }: Account): Promise<void> {
  const { job } = call.step.scope;
  job.logins.set(host, { username, password });
  call.saveState(hostsState, [...hostsIn(call), host].join(" "));
  await writeDockerConfig(job);
  call.log("Login Succeeded!");
}

const hostsState = "hosts";

function hostsIn(call: ActionCall): readonly string[] {
  return call
    .state(hostsState)
    .split(" ")
    .filter((host) => host !== "");
}

async function logOut(call: ActionCall): Promise<void> {
  const hosts = new Set(hostsIn(call));
  if (hosts.size === 0 || !call.isTrue("logout")) return;
  const { job } = call.step.scope;
  for (const host of hosts) {
    job.logins.delete(host);
    call.log(`Logged out of ${host}`);
  }
  await writeDockerConfig(job);
}
