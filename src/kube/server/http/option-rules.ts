/** What clients may say beside an object, checked as upstream checks it: 422 with the options' own kind. Pure. */
import { KubeError, type StatusCause } from "../../client/kube-error.ts";

type OptionsKind = "ListOptions" | "CreateOptions" | "UpdateOptions" | "PatchOptions" | "DeleteOptions";

const reasons = { Forbidden: "FieldValueForbidden", "Unsupported value": "FieldValueNotSupported" } as const;

/** `problems`: field and message, in upstream's words. */
export function invalidOptions(kind: OptionsKind, problems: readonly (readonly [string, string])[]): KubeError {
  const texts = problems.map(([field, message]) => `${field}: ${message}`);
  const causes: StatusCause[] = problems.map(([field, message]) => {
    const start = message.split(":", 1)[0] ?? "";
    const known = Object.hasOwn(reasons, start) ? reasons[start as keyof typeof reasons] : undefined;
    const reason = known ?? (start === "Too long" ? "FieldValueTooLong" : "FieldValueInvalid");
    return { reason: start === "Required value" ? "FieldValueRequired" : reason, message, field };
  });
  const list = texts.length === 1 ? texts[0] : `[${texts.join(", ")}]`;
  return new KubeError("Invalid", `${kind}.meta.k8s.io "" is invalid: ${list}`, { group: "meta.k8s.io", kind, causes });
}

const byMethod: Readonly<Record<string, OptionsKind>> = {
  POST: "CreateOptions",
  PUT: "UpdateOptions",
  PATCH: "PatchOptions",
  DELETE: "DeleteOptions",
};

export function optionsOf(method: string): OptionsKind {
  return byMethod[method] ?? "ListOptions";
}

/** Throws for what a list may not be asked. */
export function checkListOptions(query: URLSearchParams): void {
  const version = query.get("resourceVersion") ?? "";
  const match = query.get("resourceVersionMatch") ?? "";
  const problems: [string, string][] = [];
  if (query.has("sendInitialEvents")) {
    problems.push(["sendInitialEvents", "Forbidden: sendInitialEvents is forbidden for list"]);
  }
  if (match !== "") {
    const field = "resourceVersionMatch";
    if (version === "") problems.push([field, `Forbidden: ${field} is forbidden unless resourceVersion is provided`]);
    if ((query.get("continue") ?? "") !== "") {
      problems.push([field, `Forbidden: ${field} is forbidden when continue is provided`]);
    }
    if (match !== "Exact" && match !== "NotOlderThan") {
      const supported = 'supported values: "Exact", "NotOlderThan", ""';
      problems.push([field, `Unsupported value: ${JSON.stringify(match)}: ${supported}`]);
    }
    if (match === "Exact" && version === "0") {
      problems.push([field, `Forbidden: ${field} "exact" is forbidden for resourceVersion "0"`]);
    }
  }
  if (problems.length > 0) throw invalidOptions("ListOptions", problems);
}

/** The same for a watch. */
export function checkWatchOptions(query: URLSearchParams): void {
  const match = query.get("resourceVersionMatch") ?? "";
  const field = "resourceVersionMatch";
  const problems: [string, string][] = [];
  if (query.has("sendInitialEvents")) {
    if (match !== "NotOlderThan") {
      problems.push([field, `Forbidden: sendInitialEvents requires setting ${field} to NotOlderThan`]);
    }
  } else if (match !== "") {
    problems.push([field, `Forbidden: ${field} is forbidden for watch unless sendInitialEvents is provided`]);
  }
  if (problems.length > 0) throw invalidOptions("ListOptions", problems);
}
