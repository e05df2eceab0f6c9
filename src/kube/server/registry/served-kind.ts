import {
  apiVersionOf,
  type CustomResourceDefinition,
  customResourceDefinitions,
  type KindDefinition,
  qualifiedPlural,
} from "#api";
import { schemaProblems } from "../crd/structural.ts";
import { messageFields, messageName } from "../protobuf/messages.ts";
import type { Schema } from "../schema/schema.ts";
import { upstreamSchemaName, upstreamSchemas } from "../schema/upstream.ts";

/** A kind as the API server serves it: the definition, and what follows from where it came from. */
export interface ServedKind extends KindDefinition {
  /** The name its objects are stored under, the same for all versions. */
  readonly resource: string;
  /** True for kinds of CustomResourceDefinitions and of groups that are CRDs upstream: no strategic merge patch. */
  readonly custom: boolean;
  /** Shape of the whole object, where it is known; fields are then checked to any depth. */
  readonly schema: Schema | undefined;
  /** The version in whose form the objects are kept, where that is another. */
  readonly stored?: ServedKind;
  /** What users of this version are warned of with every answer. */
  readonly deprecation?: string;
  /** The Go type in the table of messages, for kinds upstream reads into one. */
  readonly message: string | undefined;
  /** The schema says all there is to check (CRDs); otherwise it is for the types only, and `validate` has the rules. */
  readonly allRules: boolean;
}

/** Groups whose kinds upstream compiles in; every other group is made of CRDs there. */
const nativeGroups: ReadonlySet<string> = new Set([
  "",
  "admissionregistration.k8s.io",
  "apiextensions.k8s.io",
  "apps",
  "autoscaling",
  "batch",
  "coordination.k8s.io",
  "discovery.k8s.io",
  "events.k8s.io",
  "networking.k8s.io",
  "policy",
  "rbac.authorization.k8s.io",
  "scheduling.k8s.io",
  "storage.k8s.io",
]);

/** What a CRD says of its schemas can be judged only where schemas are acted on. */
function withSchemaRules({ validate }: KindDefinition): NonNullable<KindDefinition["validate"]> {
  return (object, old) => [
    ...(validate?.(object, old) ?? []),
    ...schemaProblems(object as unknown as CustomResourceDefinition),
  ];
}

/** `known` has the kinds others may be stored as. */
export function builtinKind(definition: KindDefinition, known: readonly ServedKind[] = []): ServedKind {
  const { type, storedAs } = definition;
  const stored = storedAs === undefined ? undefined : known.find((kind) => kind.type === storedAs.type);
  const schemaName = upstreamSchemaName(apiVersionOf(type), type.kind);
  const message = messageName(apiVersionOf(type), type.kind);
  return {
    ...definition,
    resource: qualifiedPlural(definition.storedAs?.type ?? type),
    custom: !nativeGroups.has(type.group),
    schema: schemaName === undefined ? undefined : upstreamSchemas[schemaName],
    message: messageFields(message) === undefined ? undefined : message,
    allRules: false,
    ...(type.plural === customResourceDefinitions.plural ? { validate: withSchemaRules(definition) } : {}),
    ...(stored === undefined ? {} : { stored }),
  };
}
