/**
 * The `secrets` of a job. A called workflow sees what its caller hands on: all of them by `inherit`, else those that are
 * named; the secrets of an environment the job names itself it sees in any case. Nothing of this is ever stored.
 */
import { ExpressionFailure } from "../errors.ts";
import { evaluateRecord } from "../expressions/evaluate.ts";
import type { VariablesPort, VariablesRequest } from "../ports.ts";
import type { CallerPlace, JobPlace } from "./job-place.ts";

type Secrets = Readonly<Record<string, string>>;

/** The job's token by the names that a file of its dialect knows it by. */
export function tokenSecrets(path: string, token: string): Secrets {
  return path.startsWith(".forgejo/")
    ? { GITHUB_TOKEN: token, FORGEJO_TOKEN: token, GITEA_TOKEN: token }
    : { GITHUB_TOKEN: token };
}

export async function jobSecrets(
  port: VariablesPort,
  request: VariablesRequest,
  environment: string,
  place: JobPlace,
  token: string,
  signal: AbortSignal,
): Promise<Secrets> {
  const common = await port.secrets(request, { signal });
  const all = environment === "" ? common : await port.secrets({ ...request, environment }, { signal });
  if (place.callers.length === 0) return all;
  const own = Object.entries(all).filter(([name, value]) => common[name] !== value);
  let handed: Secrets = common;
  const tokens = tokenSecrets(place.workflow.path, token);
  for (const caller of place.callers) handed = handOn(caller, handed, tokens);
  return { ...handed, ...Object.fromEntries(own) };
}

function handOn(caller: CallerPlace, secrets: Secrets, tokens: Secrets): Secrets {
  const given = caller.job.call?.secrets ?? {};
  if (given === "inherit") return secrets;
  const contexts = { ...caller.contexts, secrets: { ...secrets, ...tokens } };
  const entries = Object.entries(given).flatMap(([name, value]) =>
    Object.entries(withoutSecrets(`secrets.${name}`, value, () => evaluateRecord({ [name]: value }, contexts))),
  );
  return Object.fromEntries(entries);
}

/** What the evaluator says may quote a part of a secret, and nothing here masks it: neither kept nor passed on. */
export function withoutSecrets<T>(what: string, template: string, evaluate: () => T): T {
  try {
    return evaluate();
  } catch (error) {
    if (!(error instanceof ExpressionFailure) || !/secrets/i.test(template)) throw error;
    throw new ExpressionFailure(`Cannot evaluate "${what}" from "${template}": one of its values does not fit`);
  }
}
