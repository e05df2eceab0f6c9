/** `environment` evaluated: where a job deploys to. */
import { ExpressionFailure } from "../errors.ts";
import { evaluateTemplate, evaluateValue, type Contexts } from "../expressions/evaluate.ts";
import type { JobEnvironment } from "../parse/model.ts";
import type { EnvironmentRequest } from "./job-state.ts";

const longestName = 255;

/** What is wrong with a name of an environment; undefined when it can be one. */
export function environmentNameProblem(name: string): string | undefined {
  const fits = name !== "" && name.length <= longestName && name.trim() === name && !/\p{Cc}/u.test(name);
  if (fits && name.isWellFormed()) return undefined;
  return `Cannot use "${name.slice(0, 50)}" as an environment: a name has 1 to ${longestName} characters, none of them a control character, and no blank at its ends`;
}

/** Undefined when the name is empty: the job then deploys nowhere. Throws `ExpressionFailure`. */
export function requestEnvironment(
  environment: JobEnvironment | undefined,
  contexts: Contexts,
): EnvironmentRequest | undefined {
  const name = environment === undefined ? "" : evaluateTemplate(environment.name, contexts).trim();
  if (environment === undefined || name === "") return undefined;
  const problem = environmentNameProblem(name);
  if (problem !== undefined) throw new ExpressionFailure(problem);
  const { deployment = true } = environment;
  const recorded = typeof deployment === "string" ? evaluateValue(deployment, contexts) : deployment;
  return { name, deployment: recorded !== false && recorded !== "false" };
}
