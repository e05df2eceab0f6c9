/** A role, by access keys, by the job's identity, or by a token in a file. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { isObject, withDeadline } from "#lib";
import { StepFailure } from "../../errors.ts";
import type { ActionCall } from "../builtin-action.ts";
import { AwsFailure, callSts, type AwsPlace, type StsAnswer } from "./aws-client.ts";
import { awsFlag } from "./aws-inputs.ts";
import { sessionTags, type SessionTag } from "./session-tags.ts";
import type { AwsCredentials } from "./sign-request.ts";

export interface AssumedRole extends AwsCredentials {
  readonly expiration: string;
  readonly roleId: string;
}

export type RoleProof =
  | { readonly kind: "keys"; readonly credentials: AwsCredentials }
  | { readonly kind: "identity" }
  | { readonly kind: "file"; readonly path: string };

const identityMs = 30_000;

export async function assumeRole(
  call: ActionCall,
  place: AwsPlace,
  proof: RoleProof,
  account: string | undefined,
): Promise<AssumedRole> {
  const role = {
    RoleArn: roleArn(call.text("role-to-assume"), account),
    RoleSessionName: call.text("role-session-name") || "GitHubActions",
    DurationSeconds: String(Number.parseInt(call.text("role-duration-seconds"), 10) || 3600),
    ...optional("ExternalId", call.text("role-external-id")),
    ...optional("Policy", call.text("inline-session-policy")),
    ...Object.fromEntries(
      call.list("managed-session-policies").map((arn, index) => [`PolicyArns.member.${index + 1}.arn`, arn]),
    ),
  };
  if (proof.kind === "keys") return await withKeys(call, place, role, proof.credentials);
  const token = proof.kind === "identity" ? await identityToken(call) : await tokenInFile(call, proof.path);
  call.log(proof.kind === "identity" ? "Assuming role with OIDC" : "Assuming role with web identity token file");
  const parameters = { Action: "AssumeRoleWithWebIdentity", ...role, WebIdentityToken: token };
  return assumed(await callSts(call, place, parameters));
}

/** A name alone is of the account that the keys belong to. */
function roleArn(role: string, account: string | undefined): string {
  if (role.startsWith("arn:aws")) return role;
  if (account !== undefined) return `arn:aws:iam::${account}:role/${role}`;
  throw new StepFailure("Source Account ID is needed if the Role Name is provided and not the Role Arn.");
}

async function withKeys(
  call: ActionCall,
  place: AwsPlace,
  role: Readonly<Record<string, string>>,
  credentials: AwsCredentials,
): Promise<AssumedRole> {
  call.log("Assuming role with user credentials");
  const tags = awsFlag(call, "role-skip-session-tagging") ? [] : sessionTags(call, call.text("custom-tags"));
  const parameters = { Action: "AssumeRole", ...role };
  try {
    return assumed(await callSts(call, place, { ...parameters, ...tagParameters(call, tags) }, credentials));
  } catch (error) {
    if (!(error instanceof AwsFailure) || error.awsCode !== "PackedPolicyTooLarge") throw error;
    call.log("Session tag size is too large; dropping droppable tags and retrying.");
    const kept = tags.filter(({ droppable }) => !droppable);
    return assumed(await callSts(call, place, { ...parameters, ...tagParameters(call, kept) }, credentials));
  }
}

function tagParameters(call: ActionCall, tags: readonly SessionTag[]): Record<string, string> {
  const transitive = call.list("transitive-tag-keys").filter((key) => tags.some((tag) => tag.key === key));
  return Object.fromEntries([
    ...tags.flatMap(({ key, value }, index) => [
      [`Tags.member.${index + 1}.Key`, key],
      [`Tags.member.${index + 1}.Value`, value],
    ]),
    ...transitive.map((key, index) => [`TransitiveTagKeys.member.${index + 1}`, key]),
  ]) as Record<string, string>;
}

function assumed(answer: StsAnswer): AssumedRole {
  return {
    accessKeyId: answer("AccessKeyId"),
    secretAccessKey: answer("SecretAccessKey"),
    sessionToken: answer("SessionToken"),
    expiration: answer("Expiration"),
    roleId: answer("AssumedRoleId"),
  };
}

function optional(name: string, value: string): Record<string, string> {
  return value === "" ? {} : { [name]: value };
}

/** Who the job is, signed by this server, for whoever `audience` names. */
async function identityToken(call: ActionCall): Promise<string> {
  const { idTokenRequestUrl, idTokenRequestToken } = call.parts.assignment.services;
  const audience = call.text("audience");
  const url = `${idTokenRequestUrl}${audience === "" ? "" : `&audience=${encodeURIComponent(audience)}`}`;
  const headers = { authorization: `Bearer ${idTokenRequestToken}` };
  const response = await fetch(url, { headers, signal: withDeadline(call.step.stop, identityMs) }).catch(
    (error: unknown) => {
      call.step.stop.throwIfAborted();
      throw new AwsFailure(
        "",
        `getIDToken call failed: ${error instanceof Error ? error.message : String(error)}`,
        true,
      );
    },
  );
  if (!response.ok) {
    throw new AwsFailure("", `getIDToken call failed: the server answered ${response.status}`, response.status >= 500);
  }
  const body: unknown = await response.json();
  const token = isObject(body) ? body["value"] : undefined;
  if (typeof token !== "string") throw new StepFailure("getIDToken call failed: the answer has no token");
  call.mask(token);
  return token;
}

async function tokenInFile(call: ActionCall, path: string): Promise<string> {
  const file = resolve(call.parts.folders.workspace, path);
  return await readFile(file, "utf8").catch((error: unknown) => {
    throw new StepFailure(`Web identity token file does not exist: ${file}`, error);
  });
}
