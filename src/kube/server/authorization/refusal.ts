import { qualifiedPlural } from "#api";
import { KubeError } from "../../client/kube-error.ts";
import type { KubeUser } from "../authentication/user.ts";
import type { Attributes } from "./attributes.ts";

/** 403 in upstream's words: clients and people search for them. */
export function refusal(user: KubeUser, wanted: Attributes, reason = ""): KubeError {
  const because = reason === "" ? "" : `: ${reason}`;
  if (wanted.kind === "path") {
    const what = `User "${user.name}" cannot ${wanted.verb} path "${wanted.path}"`;
    return new KubeError("Forbidden", `forbidden: ${escaped(what)}${because}`);
  }
  const { verb, group, resource, subresource, namespace, name } = wanted;
  const target = subresource === "" ? resource : `${resource}/${subresource}`;
  const where = namespace === "" ? "at the cluster scope" : `in the namespace "${namespace}"`;
  const what = `User "${user.name}" cannot ${verb} resource "${target}" in API group "${group}" ${where}`;
  const object = name === "" ? "" : ` "${name}"`;
  return new KubeError(
    "Forbidden",
    `${qualifiedPlural({ group, plural: resource })}${object} is forbidden: ${escaped(what)}${because}`,
    { ...(name === "" ? {} : { name }), ...(group === "" ? {} : { group }), kind: resource },
  );
}

/** Names come from outside and may end up in a browser. */
function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
