import type { Problem } from "#lib";
import { defineKind } from "../meta/kind.ts";
import { type Secret, secrets } from "./core-types.ts";
import { dataProblems } from "./data-rules.ts";

/** Keys that secrets of a type must have. */
const requiredKeys: Readonly<Record<string, readonly string[]>> = {
  "kubernetes.io/tls": ["tls.crt", "tls.key"],
  "kubernetes.io/dockerconfigjson": [".dockerconfigjson"],
  "kubernetes.io/dockercfg": [".dockercfg"],
  "kubernetes.io/ssh-auth": ["ssh-privatekey"],
};

const base64Pattern = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export const secretKind = defineKind<Secret>({
  type: secrets,
  singular: "secret",
  status: false,
  generation: false,
  fields: ["type", "data", "stringData", "immutable"],
  setDefaults(secret) {
    secret.type ??= "Opaque";
    for (const [key, text] of Object.entries(secret.stringData ?? {})) {
      secret.data = { ...secret.data, [key]: new TextEncoder().encode(text).toBase64() };
    }
    delete secret.stringData;
  },
  validate(secret, old) {
    return [...dataProblems(secret, old), ...encodingProblems(secret), ...typeProblems(secret, old)];
  },
  columns: [
    { name: "Type", cell: ({ type }) => type ?? "" },
    { name: "Data", type: "integer", cell: ({ data }) => Object.keys(data ?? {}).length },
  ],
  selectableFields: { type: ({ type }) => type ?? "" },
});

/** The value is never shown: it is a secret however it is written. */
function encodingProblems(secret: Secret): Problem[] {
  return Object.entries(secret.data ?? {})
    .filter(([, value]) => !base64Pattern.test(value))
    .map(([key]) => ({
      path: `data[${key}]`,
      message: "Invalid value: must be base64; plain text goes to stringData",
    }));
}

function typeProblems(secret: Secret, old: Secret | undefined): Problem[] {
  const problems: Problem[] = [];
  if (old !== undefined && old.type !== secret.type) {
    problems.push({ path: "type", message: `Invalid value: ${JSON.stringify(secret.type)}: field is immutable` });
  }
  const account = secret.metadata.annotations?.["kubernetes.io/service-account.name"] ?? "";
  if (secret.type === "kubernetes.io/service-account-token" && account === "") {
    problems.push({
      path: "metadata.annotations[kubernetes.io/service-account.name]",
      message: "Required value",
    });
  }
  for (const key of requiredKeys[secret.type ?? ""] ?? []) {
    if (secret.data?.[key] === undefined) problems.push({ path: `data[${key}]`, message: "Required value" });
  }
  return problems;
}
