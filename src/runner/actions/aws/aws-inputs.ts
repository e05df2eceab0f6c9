/** What `aws-actions/configure-aws-credentials` is told, by its inputs and by variables of the same names. */
import { ActionCall, type InputVersions } from "../builtin-action.ts";

export const awsInputs = {
  "aws-region": "",
  "aws-profile": "",
  "overwrite-aws-profile": "",
  "role-to-assume": "",
  "aws-access-key-id": "",
  "aws-secret-access-key": "",
  "aws-session-token": "",
  "web-identity-token-file": "",
  "role-chaining": "",
  audience: "sts.amazonaws.com",
  "http-proxy": "",
  "no-proxy": "",
  "mask-aws-account-id": "",
  "role-duration-seconds": "",
  "role-external-id": "",
  "role-session-name": "",
  "role-skip-session-tagging": "",
  "transitive-tag-keys": "",
  "inline-session-policy": "",
  "managed-session-policies": "",
  "output-credentials": "",
  "output-env-credentials": "",
  "unset-current-credentials": "",
  "disable-retry": "",
  "retry-max-attempts": "",
  "special-characters-workaround": "",
  "use-existing-credentials": "",
  "allowed-account-ids": "",
  "force-skip-oidc": "",
  "action-timeout-s": "",
  "custom-tags": "",
  "sts-endpoint": "",
};

export const awsInputVersions: Readonly<Record<string, InputVersions>> = {
  "output-env-credentials": { since: 4, earlier: { before: 6, default: "true" } },
  "use-existing-credentials": { since: 4 },
  "aws-profile": { since: 6 },
  "overwrite-aws-profile": { since: 6 },
  "transitive-tag-keys": { since: 6 },
  "custom-tags": { since: 6 },
  "sts-endpoint": { since: 6 },
  "no-proxy": { since: 5 },
  "allowed-account-ids": { since: 5 },
  "force-skip-oidc": { since: 5 },
  "action-timeout-s": { since: 5 },
};

/** What variables say where inputs are empty, since version 4. */
const variables = [
  "aws-region",
  "role-to-assume",
  "web-identity-token-file",
  "role-chaining",
  "audience",
  "mask-aws-account-id",
  "role-duration-seconds",
  "role-external-id",
  "role-session-name",
  "role-skip-session-tagging",
  "transitive-tag-keys",
  "inline-session-policy",
  "managed-session-policies",
  "output-credentials",
  "unset-current-credentials",
  "disable-retry",
  "retry-max-attempts",
  "special-characters-workaround",
  "use-existing-credentials",
  "overwrite-aws-profile",
];

/** A region may come so at any version: who has set it once need not say it again. */
export function withVariables(call: ActionCall): ActionCall {
  const named = call.major < 4 ? ["aws-region"] : variables;
  const found = named
    .filter((name) => call.text(name) === "")
    .map((name) => [name, call.env(name.replaceAll("-", "_").toUpperCase())] as const);
  return call.withInputs(Object.fromEntries(found));
}

/** Up to version 4 whatever is not true was false. */
export function awsFlag(call: ActionCall, name: string, whenEmpty = false): boolean {
  return call.major < 5 ? call.isTrue(name, whenEmpty) : call.flag(name, whenEmpty);
}

const flags = [
  "overwrite-aws-profile",
  "mask-aws-account-id",
  "role-skip-session-tagging",
  "role-chaining",
  "output-credentials",
  "output-env-credentials",
  "unset-current-credentials",
  "disable-retry",
  "special-characters-workaround",
  "force-skip-oidc",
];

/** A mistake in one is told before anything is done. */
export function checkFlags(call: ActionCall): void {
  for (const name of flags) awsFlag(call, name, false);
}
