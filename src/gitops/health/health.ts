/** Health as data, and the order in which one is worse than another. */
import type { AnyObject, HealthStatusCode } from "#api";
import { isObject } from "#lib";

export interface Health {
  readonly status: HealthStatusCode;
  readonly message?: string;
}

/** Best first. */
const order: readonly HealthStatusCode[] = ["Healthy", "Suspended", "Progressing", "Missing", "Degraded", "Unknown"];

export function isWorse(a: HealthStatusCode, b: HealthStatusCode): boolean {
  return order.indexOf(a) > order.indexOf(b);
}

export function health(status: HealthStatusCode, message?: string): Health {
  return message === undefined || message === "" ? { status } : { status, message };
}

/** Objects come from outside: every field may be missing or of another type. */
export function mapAt(object: unknown, ...path: readonly string[]): Record<string, unknown> {
  let value: unknown = object;
  for (const part of path) value = isObject(value) ? value[part] : undefined;
  return isObject(value) ? value : {};
}

export function listAt(object: unknown, ...path: readonly string[]): Record<string, unknown>[] {
  const holder = mapAt(object, ...path.slice(0, -1));
  const value = holder[path.at(-1) ?? ""];
  return Array.isArray(value) ? value.filter(isObject) : [];
}

export function numberAt(object: unknown, field: string, otherwise = 0): number {
  const value = mapAt(object)[field];
  return typeof value === "number" ? value : otherwise;
}

export function textAt(object: unknown, field: string): string {
  const value = mapAt(object)[field];
  return typeof value === "string" ? value : "";
}

/** The condition of that type, if it has that status. */
export function conditionOf(object: AnyObject, type: string, status = "True"): Record<string, unknown> | undefined {
  return listAt(object, "status", "conditions").find((entry) => entry["type"] === type && entry["status"] === status);
}

/** True until the kind's controller has seen the newest spec. */
export function isUnobserved(object: AnyObject): boolean {
  return numberAt(object["status"], "observedGeneration") < (object.metadata.generation ?? 0);
}
