/** `aws-actions/amazon-ecr-login`: logins for this job's images and its `docker`, without needing `docker` itself. */
import { isObject } from "#lib";
import { StepFailure } from "../../errors.ts";
import { ambientCredentials, awsPlace, callEcr } from "../aws/aws-client.ts";
import type { ActionCall, BuiltinAction } from "../builtin-action.ts";
import { writeDockerConfig } from "../docker-login-file.ts";

const publicRegistry = "public.ecr.aws";
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

interface Login {
  readonly registry: string;
  readonly username: string;
  readonly password: string;
}

async function privateLogins(call: ActionCall): Promise<readonly Login[]> {
  const region = call.env("AWS_REGION") || call.env("AWS_DEFAULT_REGION");
  if (region === "") throw new StepFailure("Region is missing");
  const registryIds = call.list("registries", true);
  const answer = await token(call, "ecr", region, registryIds.length === 0 ? {} : { registryIds });
  const data = Array.isArray(answer) ? answer.filter(isObject) : [];
  if (data.length === 0)
    throw new StepFailure("Amazon ECR authorization token does not contain any authorization data");
  return data.map((one) =>
    loginOf(one["authorizationToken"], String(one["proxyEndpoint"]).replace(/^https?:\/\//, "")),
  );
}

async function publicLogin(call: ActionCall): Promise<readonly Login[]> {
  // ECR Public answers in this region only.
  const answer = await token(call, "ecr-public", "us-east-1", {});
  if (!isObject(answer)) throw new StepFailure("Amazon ECR Public authorization token is invalid");
  return [loginOf(answer["authorizationToken"], publicRegistry)];
}

async function token(
  call: ActionCall,
  service: "ecr" | "ecr-public",
  region: string,
  parameters: object,
): Promise<unknown> {
  const credentials = ambientCredentials(call);
  if (credentials === undefined) {
    throw new StepFailure(
      "Could not load credentials from any providers: run aws-actions/configure-aws-credentials first",
    );
  }
  call.log("Using environment variable credentials.");
  const frontend = service === "ecr" ? "AmazonEC2ContainerRegistry_V20150921" : "SpencerFrontendService";
  const target = { service, name: `${frontend}.GetAuthorizationToken` };
  const answer = await callEcr(call, awsPlace(call, service, region), target, parameters, credentials);
  return answer["authorizationData"];
}

function loginOf(encoded: unknown, registry: string): Login {
  const text = Buffer.from(String(encoded), "base64").toString("utf8");
  const at = text.indexOf(":");
  if (at < 1) throw new StepFailure("Amazon ECR authorization token is invalid");
  return { registry, username: text.slice(0, at), password: text.slice(at + 1) };
}

async function logIn(
  call: ActionCall,
  { registry, username, password }: Login,
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
