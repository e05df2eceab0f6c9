/** Calls of AWS: its query protocol (STS) and its JSON protocol (ECR). */
import { isObject, withDeadline } from "#lib";
import { StepFailure } from "../../errors.ts";
import type { ActionCall } from "../builtin-action.ts";
import { unescapeXml } from "../covered/xml-events.ts";
import { signRequest, type AwsCredentials } from "./sign-request.ts";

const answerMs = 30_000;
const maxAnswerLength = 1024 * 1024;

/** What AWS refused, by its own code and words. */
export class AwsFailure extends StepFailure {
  readonly awsCode: string;
  readonly retryable: boolean;

  constructor(code: string, message: string, retryable: boolean) {
    super(message);
    this.awsCode = code;
    this.retryable = retryable;
  }
}

export interface AwsPlace {
  readonly region: string;
  /** In place of AWS's own address. */
  readonly endpoint?: string;
}

/** Where a service is: told by the step, by the variables that AWS's programs know, or AWS's own address. */
export function awsPlace(
  call: ActionCall,
  service: "sts" | "ecr" | "ecr-public",
  region: string,
  given = "",
): AwsPlace {
  const specific = `AWS_ENDPOINT_URL_${service.replace("-", "_").toUpperCase()}`;
  const endpoint = given || call.env(specific) || call.env("AWS_ENDPOINT_URL");
  if (endpoint !== "") return { region, endpoint };
  const domain = region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
  const host = { sts: "sts", ecr: "api.ecr", "ecr-public": "api.ecr-public" }[service];
  return { region, endpoint: `https://${host}.${region}.${domain}` };
}

/** Access keys in the environment of the step. */
export function ambientCredentials(call: ActionCall): AwsCredentials | undefined {
  const accessKeyId = call.env("AWS_ACCESS_KEY_ID");
  const secretAccessKey = call.env("AWS_SECRET_ACCESS_KEY");
  const sessionToken = call.env("AWS_SESSION_TOKEN");
  if (accessKeyId === "" || secretAccessKey === "") return undefined;
  return { accessKeyId, secretAccessKey, ...(sessionToken === "" ? {} : { sessionToken }) };
}

export type StsAnswer = (field: string) => string;

/** Without credentials the request is not signed: AssumeRoleWithWebIdentity brings its own proof. */
export async function callSts(
  call: ActionCall,
  place: AwsPlace,
  parameters: Readonly<Record<string, string>>,
  credentials?: AwsCredentials,
): Promise<StsAnswer> {
  const body = new URLSearchParams({ ...parameters, Version: "2011-06-15" }).toString();
  const headers = { "content-type": "application/x-www-form-urlencoded; charset=utf-8" };
  const { ok, status, text } = await send(call, place, { service: "sts", headers, body }, credentials);
  const field: StsAnswer = (name) => unescapeXml(new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1] ?? "");
  if (ok) return field;
  throw new AwsFailure(field("Code"), field("Message") || `AWS answered ${status}`, isRetryable(status, field("Code")));
}

export async function callEcr(
  call: ActionCall,
  place: AwsPlace,
  target: { readonly service: "ecr" | "ecr-public"; readonly name: string },
  parameters: object,
  credentials: AwsCredentials,
): Promise<Readonly<Record<string, unknown>>> {
  const headers = { "content-type": "application/x-amz-json-1.1", "x-amz-target": target.name };
  const body = JSON.stringify(parameters);
  const { ok, status, text } = await send(call, place, { service: target.service, headers, body }, credentials);
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    answer = undefined;
  }
  const fields = isObject(answer) ? answer : {};
  if (ok) return fields;
  const type = fields["__type"];
  const code = typeof type === "string" ? (type.split("#").at(-1) ?? "") : "";
  const message = fields["message"] ?? fields["Message"];
  const words = typeof message === "string" ? message : `AWS answered ${status}`;
  throw new AwsFailure(code, code === "" ? words : `${code}: ${words}`, isRetryable(status, code));
}

function isRetryable(status: number, code: string): boolean {
  return status >= 500 || status === 429 || /Throttl|IDPCommunication|RequestTimeout/.test(code);
}

interface Sent {
  readonly service: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

async function send(
  call: ActionCall,
  { region, endpoint = "" }: AwsPlace,
  { service, headers, body }: Sent,
  credentials: AwsCredentials | undefined,
): Promise<{ ok: boolean; status: number; text: string }> {
  const url = new URL(endpoint);
  const time = call.parts.clock.now().toString({ smallestUnit: "second" }).replaceAll(/[-:]/g, "");
  const request = { url, headers, body, region, service };
  const signed = credentials === undefined ? headers : signRequest(request, credentials, time);
  const signal = withDeadline(call.step.stop, answerMs);
  try {
    const response = await fetch(url, { method: "POST", headers: signed, body, signal });
    const text = (await response.text()).slice(0, maxAnswerLength);
    return { ok: response.ok, status: response.status, text };
  } catch (error) {
    call.step.stop.throwIfAborted();
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new AwsFailure("", `Cannot reach "${url.host}": ${cause}`, true);
  }
}
