/** Problems in the words of `k8s.io/apimachinery/pkg/util/validation/field`, which users of kubectl know. */
import type { Problem } from "#lib";

const shownValueLimit = 200;

export function required(path: string, detail: string): Problem {
  return { path, message: detail === "" ? "Required value" : `Required value: ${detail}` };
}

export function invalid(path: string, value: unknown, detail: string): Problem {
  const text = JSON.stringify(value) ?? "null";
  const shown = text.length > shownValueLimit ? `${text.slice(0, shownValueLimit)}…` : text;
  return { path, message: `Invalid value: ${shown}: ${detail}` };
}

export function unsupported(path: string, value: unknown, known: readonly string[]): Problem {
  const list = known.map((item) => JSON.stringify(item)).join(", ");
  return { path, message: `Unsupported value: ${JSON.stringify(value) ?? '""'}: supported values: ${list}` };
}

/** For what upstream has and this version has not: says so and what to do instead. */
export function notSupported(path: string, remedy: string): Problem {
  return { path, message: `Forbidden: not supported yet: ${remedy}` };
}

/** Nothing when `value` is absent or a whole number of at least 0. */
export function wholeNumberProblems(path: string, value: unknown): Problem[] {
  if (value === undefined || value === null) return [];
  if (typeof value !== "number" || !Number.isInteger(value)) return [invalid(path, value, "must be a whole number")];
  return value < 0 ? [invalid(path, value, "must be greater than or equal to 0")] : [];
}
