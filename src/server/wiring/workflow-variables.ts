/** `vars` and `secrets` of workflows. */
import { type Reader, SecretsError, type SecretsRoom } from "#secrets";
import { ExpressionFailure, type VariablesPort, type VariablesRequest } from "#workflows";
import { type Addresses, registryHost } from "./addresses.ts";

/**
 * `vars.REGISTRY` is the registry of this server unless somebody set it, so that one workflow file fits every
 * installation.
 */
export function workflowVariables(
  addresses: Addresses,
  { secrets, variables }: Pick<SecretsRoom, "secrets" | "variables">,
): VariablesPort {
  return {
    async variables(request) {
      return { REGISTRY: registryHost(addresses), ...(await variables.valuesFor(readerOf(request))) };
    },
    async secrets(request) {
      try {
        return await secrets.valuesFor(readerOf(request));
      } catch (error) {
        // A job without a secret it was given, or one that is claimed again and again, would say nothing of the cause.
        if (error instanceof SecretsError) throw new ExpressionFailure(error.message, error);
        throw error;
      }
    },
  };
}

function readerOf({ repository, environment }: VariablesRequest): Reader {
  return environment === undefined ? { repository } : { repository, environment };
}
