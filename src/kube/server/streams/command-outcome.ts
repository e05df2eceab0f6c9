/** How a command or an attachment ended, and what clients are told of it. Pure. */
import type { KubeError } from "../../client/kube-error.ts";
import { statusBody } from "../http/status-body.ts";

export type CommandOutcome =
  | { readonly kind: "ended"; readonly exitCode: number }
  | { readonly kind: "failed"; readonly error: KubeError };

/** The `Status` object of protocol version 4 and later: clients read the exit code from its cause. */
export function outcomeStatus(outcome: CommandOutcome): Record<string, unknown> {
  if (outcome.kind === "failed") return statusBody(outcome.error);
  if (outcome.exitCode === 0) return { metadata: {}, status: "Success" };
  return {
    metadata: {},
    status: "Failure",
    message: outcomeText(outcome),
    reason: "NonZeroExitCode",
    details: { causes: [{ reason: "ExitCode", message: String(outcome.exitCode) }] },
  };
}

/** What protocol versions before 4 say; nothing of a success. */
export function outcomeText(outcome: CommandOutcome): string {
  if (outcome.kind === "failed") return outcome.error.message;
  if (outcome.exitCode === 0) return "";
  return `command terminated with non-zero exit code: exit status ${outcome.exitCode}`;
}
