import type { AnyObject } from "#api";
import { conditionOf, health, listAt, mapAt, numberAt, textAt, type Health } from "./health.ts";

export function podHealth(object: AnyObject): Health {
  const status = mapAt(object, "status");
  const always = (textAt(object["spec"], "restartPolicy") || "Always") === "Always";
  const containers = [...listAt(status, "initContainerStatuses"), ...listAt(status, "containerStatuses")];
  const stuck = containers.map((container) => mapAt(container, "state", "waiting")).find(isStuck);
  if (always && stuck !== undefined) return health("Degraded", textAt(stuck, "message") || textAt(stuck, "reason"));
  switch (status["phase"]) {
    case "Pending":
      return health("Progressing", textAt(status, "message"));
    case "Running":
      return runningHealth(object, always, containers);
    case "Succeeded":
      return health("Healthy", textAt(status, "message"));
    case "Failed":
      return health("Degraded", textAt(status, "message") || failureOf(containers));
    default:
      return health(status["phase"] === undefined ? "Progressing" : "Unknown", textAt(status, "message"));
  }
}

function isStuck(waiting: Record<string, unknown>): boolean {
  return /^Err|Error$|BackOff$/.test(textAt(waiting, "reason"));
}

/** A pod that is to end by itself is on its way as long as it runs; one that is to stay counts by its readiness. */
function runningHealth(object: AnyObject, always: boolean, containers: readonly Record<string, unknown>[]): Health {
  if (!always) return health("Progressing");
  if (conditionOf(object, "Ready") !== undefined) return health("Healthy");
  const failed = containers.find((container) => Object.keys(mapAt(container, "lastState", "terminated")).length > 0);
  if (failed === undefined) return health("Progressing");
  return health("Degraded", `Container "${textAt(failed, "name")}" restarted and is not ready`);
}

function failureOf(containers: readonly Record<string, unknown>[]): string {
  for (const container of containers) {
    const terminated = mapAt(container, "state", "terminated");
    const code = numberAt(terminated, "exitCode");
    if (code !== 0) return `Container "${textAt(container, "name")}" failed with exit code ${code}`;
  }
  return "";
}
