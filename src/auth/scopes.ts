import { areas } from "#api";
import type { Problem } from "#lib";

const resourcePattern = /^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/;

/** What is wrong with a list of scopes that somebody asks for. */
export function scopeProblems(scopes: readonly unknown[]): Problem[] {
  if (scopes.length === 0) return [{ path: "scopes", message: "At least one scope is needed, e.g. git:read" }];
  return scopes.flatMap((scope, index) => {
    const message = scopeProblem(scope);
    return message === undefined ? [] : [{ path: `scopes[${index}]`, message }];
  });
}

function scopeProblem(scope: unknown): string | undefined {
  if (typeof scope !== "string") return `A scope is text: found ${JSON.stringify(scope)}`;
  if (scope === "admin") return undefined;
  const [area, verb, resource, ...rest] = scope.split(":");
  if (!(areas as readonly string[]).includes(area ?? "")) {
    return `Scope "${scope}" names no known area: use admin or one of ${areas.join(", ")}`;
  }
  if (verb !== "read" && verb !== "write") return `Scope "${scope}" needs :read or :write after the area`;
  if (rest.length > 0 || (resource !== undefined && !resourcePattern.test(resource))) {
    return `Scope "${scope}" may end with one :owner/repo only`;
  }
  return undefined;
}
