/** Health of Argo Rollouts' kinds: their own phase, with pauses counted as suspended and open verdicts as unknown. */
import type { AnyObject } from "#api";
import { health, mapAt, textAt, type Health } from "./health.ts";

export function rolloutHealth(object: AnyObject): Health {
  const status = mapAt(object, "status");
  // A string upstream, since it once was a hash; a rollout that was never reconciled has none.
  if (textAt(status, "observedGeneration") !== String(object.metadata.generation ?? 0)) {
    return health("Progressing", "Waiting for the newest spec to be observed");
  }
  const message = textAt(status, "message");
  switch (status["phase"]) {
    case "Paused":
      return health("Suspended", message || "Rollout is paused");
    case "Healthy":
    case "Degraded":
    case "Progressing":
      return health(status["phase"], message);
    default:
      return health("Progressing", message);
  }
}

export function runHealth(object: AnyObject): Health {
  const status = mapAt(object, "status");
  const message = textAt(status, "message");
  switch (status["phase"]) {
    case "Successful":
      return health("Healthy", message);
    case "Failed":
    case "Error":
      return health("Degraded", message);
    case "Inconclusive":
      return health("Unknown", message);
    default:
      return health("Progressing", message);
  }
}
