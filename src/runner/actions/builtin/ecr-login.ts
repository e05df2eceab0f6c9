/** `aws-actions/amazon-ecr-login`: logins for this job's images and its `docker`, without needing `docker` itself. */
import { StepFailure } from "../../errors.ts";
import { ambientCredentials } from "../aws/aws-client.ts";
import { privateAccounts, publicAccount, type EcrAccount } from "../aws/ecr-accounts.ts";
import type { AwsCredentials } from "../aws/sign-request.ts";
import type { ActionCall, BuiltinAction } from "../builtin-action.ts";
import { writeDockerConfig } from "../docker-login-file.ts";

const registriesState = "registries";

export const ecrLogin: BuiltinAction = {
  name: "aws-actions/amazon-ecr-login",
  inputs: {
    "http-proxy": "",
    "mask-password": "true",
    registries: "",
    "registry-type": "private",
    "skip-logout": "false",
  },
  versions: { "mask-password": { earlier: { before: 2, default: "false" } } },
  async main(call) {
    const type = call.text("registry-type").toLowerCase();
    if (type !== "private" && type !== "public") {
      throw new StepFailure("Invalid input for 'registry-type', possible options are [private, public]");
    }
    const masked = call.text("mask-password").toLowerCase() !== "false";
    if (!masked) {
      call.warn(
        "Your docker password is not masked. See https://github.com/aws-actions/amazon-ecr-login#docker-credentials for more information.",
      );
    }
    const logins = type === "private" ? await privateLogins(call) : await publicLogin(call);
    for (const login of logins) await logIn(call, login, masked, logins.length === 1);
    if (call.text("skip-logout").toLowerCase() !== "true") {
      call.saveState(registriesState, logins.map(({ registry }) => registry).join(","));
    }
  },
  async post(call) {
    const { job } = call.step.scope;
    const registries = call
      .state(registriesState)
      .split(",")
      .filter((registry) => registry !== "");
    for (const registry of registries) {
      call.log(`Logging out of registry ${registry}`);
      job.logins.delete(registry);
    }
    if (registries.length > 0) await writeDockerConfig(job);
  },
};

async function privateLogins(call: ActionCall): Promise<readonly EcrAccount[]> {
  const region = call.env("AWS_REGION") || call.env("AWS_DEFAULT_REGION");
  if (region === "") throw new StepFailure("Region is missing");
  return await privateAccounts(call, region, call.list("registries", true), credentialsOf(call));
}

async function publicLogin(call: ActionCall): Promise<readonly EcrAccount[]> {
  return [await publicAccount(call, credentialsOf(call))];
}

function credentialsOf(call: ActionCall): AwsCredentials {
  const credentials = ambientCredentials(call);
  if (credentials === undefined) {
    throw new StepFailure(
      "Could not load credentials from any providers: run aws-actions/configure-aws-credentials first",
    );
  }
  call.log("Using environment variable credentials.");
  return credentials;
}

async function logIn(
  call: ActionCall,
  { registry, username, password }: EcrAccount,
  masked: boolean,
  only: boolean,
): Promise<void> {
  call.log(`Logging into registry ${registry}`);
  if (masked) call.mask(password);
  if (only) call.setOutput("registry", registry);
  const { job } = call.step.scope;
  job.logins.set(registry, { username, password });
  await writeDockerConfig(job);
  const suffix = registry.replaceAll(/\W+/g, "_");
  call.setOutput(`docker_username_${suffix}`, username);
  call.setOutput(`docker_password_${suffix}`, password);
}
