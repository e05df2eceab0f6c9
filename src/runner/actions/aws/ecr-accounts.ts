/** Names and passwords for Amazon's registries, which AWS gives for a few hours to whoever has its keys. */
import { isObject } from "#lib";
import { StepFailure } from "../../errors.ts";
import type { ActionCall } from "../builtin-action.ts";
import { awsPlace, callEcr } from "./aws-client.ts";
import type { AwsCredentials } from "./sign-request.ts";

export interface EcrAccount {
  readonly registry: string;
  readonly username: string;
  readonly password: string;
}

/** @param registryIds accounts whose registries are meant; without any, that of the keys */
export async function privateAccounts(
  call: ActionCall,
  region: string,
  registryIds: readonly string[],
  credentials: AwsCredentials,
): Promise<readonly EcrAccount[]> {
  const target = { service: "ecr", name: "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken" } as const;
  const parameters = registryIds.length === 0 ? {} : { registryIds };
  const answer = await callEcr(call, awsPlace(call, "ecr", region), target, parameters, credentials);
  const { authorizationData } = answer;
  const data = Array.isArray(authorizationData) ? authorizationData.filter(isObject) : [];
  if (data.length === 0) {
    throw new StepFailure("Amazon ECR authorization token does not contain any authorization data");
  }
  return data.map((one) =>
    accountOf(one["authorizationToken"], String(one["proxyEndpoint"]).replace(/^https?:\/\//, "")),
  );
}

export async function publicAccount(call: ActionCall, credentials: AwsCredentials): Promise<EcrAccount> {
  const target = { service: "ecr-public", name: "SpencerFrontendService.GetAuthorizationToken" } as const;
  // ECR Public answers in this region only.
  const answer = await callEcr(call, awsPlace(call, "ecr-public", "us-east-1"), target, {}, credentials);
  const { authorizationData } = answer;
  if (!isObject(authorizationData)) throw new StepFailure("Amazon ECR Public authorization token is invalid");
  return accountOf(authorizationData["authorizationToken"], "public.ecr.aws");
}

function accountOf(encoded: unknown, registry: string): EcrAccount {
  const text = Buffer.from(String(encoded), "base64").toString("utf8");
  const at = text.indexOf(":");
  if (at < 1) throw new StepFailure("Amazon ECR authorization token is invalid");
  return { registry, username: text.slice(0, at), password: text.slice(at + 1) };
}

export interface EcrHost {
  readonly public: boolean;
  readonly region: string;
  readonly accounts: readonly string[];
}

const privateHost = /^([0-9]{12})\.(?:dkr\.ecr|dkr-ecr)\.(.+)\.(?:on\.aws|amazonaws\.(?:com(?:\.cn)?|eu))(?:\/.*)?$/;

/** Whose registry the host names; undefined when it is none of Amazon's. */
export function ecrHost(host: string): EcrHost | undefined {
  if (/public\.ecr\.aws|ecr-public\.aws\.com/.test(host)) return { public: true, region: "us-east-1", accounts: [] };
  const [, account, region] = privateHost.exec(host) ?? [];
  return account === undefined || region === undefined ? undefined : { public: false, region, accounts: [account] };
}
