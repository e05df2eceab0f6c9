/** The refusals the API server gives most, worded as upstream words them: clients match on these texts. */
import { apiVersionOf, qualifiedPlural, type ResourceType } from "#api";
import { formatProblem, type Problem } from "#lib";
import { KubeError, type StatusCause } from "../client/kube-error.ts";

type Named = Pick<ResourceType, "group" | "version" | "kind" | "plural">;

function detailsOf(type: Named, name: string): { name: string; group?: string; kind: string } {
  return { name, ...(type.group === "" ? {} : { group: type.group }), kind: type.plural };
}

export function notFound(type: Named, name: string): KubeError {
  return new KubeError("NotFound", `${qualifiedPlural(type)} "${name}" not found`, detailsOf(type, name));
}

export function alreadyExists(type: Named, name: string): KubeError {
  return new KubeError("AlreadyExists", `${qualifiedPlural(type)} "${name}" already exists`, detailsOf(type, name));
}

export function conflict(type: Named, name: string, why: string): KubeError {
  return new KubeError(
    "Conflict",
    `Operation cannot be fulfilled on ${qualifiedPlural(type)} "${name}": ${why}`,
    detailsOf(type, name),
  );
}

export function modifiedMeanwhile(type: Named, name: string): KubeError {
  return conflict(
    type,
    name,
    "the object has been modified; please apply your changes to the latest version and try again",
  );
}

const causeReasons: Readonly<Record<string, string>> = {
  "Required value": "FieldValueRequired",
  "Unsupported value": "FieldValueNotSupported",
  "Duplicate value": "FieldValueDuplicate",
  Forbidden: "FieldValueForbidden",
  "Not found": "FieldValueNotFound",
  "Too long": "FieldValueTooLong",
  "Too many": "FieldValueTooMany",
};

/** For kinds whose PUT must name the state it replaces. */
export function unlocked(type: Named, name: string): KubeError {
  const message = "Invalid value: 0x0: must be specified for an update";
  return new KubeError(
    "Invalid",
    `${qualifiedPlural(type)} "${name}" is invalid: metadata.resourceVersion: ${message}`,
    {
      ...detailsOf(type, name),
      causes: [{ reason: "FieldValueInvalid", message, field: "metadata.resourceVersion" }],
    },
  );
}

/** 422 with one cause a problem. Problems that are only warnings must be left out by the caller. */
export function invalid(type: Named, name: string, problems: readonly Problem[]): KubeError {
  const texts = problems.map(formatProblem);
  const list = texts.length === 1 ? texts[0] : `[${texts.join(", ")}]`;
  const kind = type.group === "" ? type.kind : `${type.kind}.${type.group}`;
  const causes: StatusCause[] = problems.map(({ path, message }) => ({
    reason: causeReasons[message.split(":", 1)[0] ?? ""] ?? "FieldValueInvalid",
    message,
    field: path,
  }));
  const { name: object, group } = detailsOf(type, name);
  return new KubeError("Invalid", `${kind} "${name}" is invalid: ${list}`, {
    name: object,
    ...(group === undefined ? {} : { group }),
    kind: type.kind,
    causes,
  });
}

export function badRequest(message: string): KubeError {
  return new KubeError("BadRequest", message);
}

/** 400 for a body that is not what the kind allows, in upstream's words. */
export function cannotDecode(type: Named, why: string): KubeError {
  return badRequest(`${type.kind} in version "${type.version}" cannot be handled as a ${type.kind}: ${why}`);
}

export function forbidden(type: Named, name: string, why: string, causes?: readonly StatusCause[]): KubeError {
  return new KubeError("Forbidden", `${qualifiedPlural(type)} "${name}" is forbidden: ${why}`, {
    ...detailsOf(type, name),
    ...(causes === undefined ? {} : { causes }),
  });
}

export function unknownKind(type: Named): KubeError {
  return new KubeError("NotFound", `The server does not serve ${type.plural} of ${apiVersionOf(type)}`, {
    ...(type.group === "" ? {} : { group: type.group }),
    kind: type.plural,
  });
}
