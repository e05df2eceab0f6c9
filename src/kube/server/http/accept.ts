/** What form the client wants its answer in. Pure. */
import { KubeError } from "../../client/kube-error.ts";

/** `as`: a transformation of the answer; `group` and `version` say of which API. */
export interface Representation {
  readonly format: "json" | "yaml";
  readonly as?: "Table" | "PartialObjectMetadata" | "PartialObjectMetadataList" | "APIGroupDiscoveryList";
  readonly version?: string;
}

const transformations: Readonly<Record<string, { readonly group: string; readonly versions: readonly string[] }>> = {
  Table: { group: "meta.k8s.io", versions: ["v1", "v1beta1"] },
  PartialObjectMetadata: { group: "meta.k8s.io", versions: ["v1"] },
  PartialObjectMetadataList: { group: "meta.k8s.io", versions: ["v1"] },
  APIGroupDiscoveryList: { group: "apidiscovery.k8s.io", versions: ["v2"] },
};

/**
 * The first form in the header that we have. `offered` are the transformations that make sense for the answer; a
 * range that asks for another is skipped. Throws NotAcceptable when none is left.
 */
export function negotiate(header: string | undefined, offered: readonly string[]): Representation {
  if (header === undefined || header.trim() === "") return { format: "json" };
  for (const range of header.split(",")) {
    const [media = "", ...rest] = range.split(";").map((part) => part.trim());
    const format = formatOf(media.toLowerCase());
    if (format === undefined) continue;
    const parameters = new Map(rest.map((part) => splitParameter(part)));
    const as = parameters.get("as");
    if (as === undefined) return { format };
    const known = Object.hasOwn(transformations, as) ? transformations[as] : undefined;
    const version = parameters.get("v") ?? "";
    if (known === undefined || !offered.includes(as)) continue;
    if (parameters.get("g") !== known.group || !known.versions.includes(version)) continue;
    return { format, as: as as NonNullable<Representation["as"]>, version };
  }
  throw new KubeError(
    "NotAcceptable",
    "only the following media types are accepted: application/json, application/yaml",
  );
}

function formatOf(media: string): "json" | "yaml" | undefined {
  if (media === "application/json" || media === "*/*" || media === "application/*") return "json";
  return media === "application/yaml" ? "yaml" : undefined;
}

function splitParameter(text: string): [string, string] {
  const at = text.indexOf("=");
  return at < 0 ? [text, ""] : [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}
