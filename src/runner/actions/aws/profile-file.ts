/** `~/.aws/credentials` and `~/.aws/config`: a profile of the name is written, others stay. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { readFileIfExists, writeFileAtomic } from "#lib";
import { StepFailure } from "../../errors.ts";
import type { ActionCall } from "../builtin-action.ts";
import type { AwsCredentials } from "./sign-request.ts";

export interface Profile {
  readonly name: string;
  readonly region: string;
  readonly credentials: AwsCredentials;
  readonly overwrite: boolean;
}

export async function writeProfile(call: ActionCall, { name, region, credentials, overwrite }: Profile): Promise<void> {
  if (!/^[\w.@+-]{1,64}$/.test(name)) {
    throw new StepFailure(`"${name}" cannot be the name of an AWS profile: use letters, digits and . @ + - _`);
  }
  const folder = join(call.env("HOME"), ".aws");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const keys = {
    aws_access_key_id: accessKeyId,
    aws_secret_access_key: secretAccessKey,
    ...(sessionToken === undefined ? {} : { aws_session_token: sessionToken }),
  };
  const section = name === "default" ? "default" : `profile ${name}`;
  for (const [file, title, values] of [
    ["credentials", name, keys],
    ["config", section, { region }],
  ] as const) {
    const path = call.env(file === "config" ? "AWS_CONFIG_FILE" : "AWS_SHARED_CREDENTIALS_FILE") || join(folder, file);
    const before = (await readFileIfExists(path)) ?? "";
    if (hasSection(before, title) && !overwrite) {
      throw new StepFailure(`Profile '${name}' is in "${path}" already: set overwrite-aws-profile to replace it`);
    }
    await writeFileAtomic(path, putSection(before, title, values), 0o600);
  }
}

function hasSection(text: string, title: string): boolean {
  return text.split("\n").some((line) => line.trim() === `[${title}]`);
}

function putSection(text: string, title: string, values: Readonly<Record<string, string>>): string {
  const kept: string[] = [];
  let inside = false;
  for (const line of text.split("\n")) {
    if (/^\s*\[.*\]\s*$/.test(line)) inside = line.trim() === `[${title}]`;
    if (!inside) kept.push(line);
  }
  const before = kept.join("\n").trimEnd();
  const lines = Object.entries(values).map(([key, value]) => `${key} = ${value}`);
  return `${before === "" ? "" : `${before}\n\n`}[${title}]\n${lines.join("\n")}\n`;
}
