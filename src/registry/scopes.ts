/** Scopes of the registry token protocol: `repository:<name>:<action>,<action>`. Pure. */
import { permits, type Identity } from "#api";
import { isRepositoryName, resourceOf } from "./names.ts";

const actions = ["pull", "push", "delete"] as const;
export type Action = (typeof actions)[number];

export interface Grant {
  readonly type: "repository";
  readonly name: string;
  readonly actions: readonly Action[];
}

/** The repository scopes among those asked for; others (catalogues, plugins) grant nothing here. */
export function parseScopes(scopes: readonly string[]): readonly Grant[] {
  return scopes
    .flatMap((scope) => scope.split(" "))
    .flatMap((scope) => {
      const [, name, asked = ""] = /^repository(?:\([a-z0-9]+\))?:(.+):([a-z*,]*)$/.exec(scope) ?? [];
      if (name === undefined || !isRepositoryName(name)) return [];
      const words = asked.split(",");
      return [{ type: "repository", name, actions: actions.filter((a) => words.includes(a) || words.includes("*")) }];
    });
}

/** What of the asked the identity may have. */
export function grantScopes(identity: Identity, asked: readonly Grant[]): readonly Grant[] {
  return asked.map((grant) => ({ ...grant, actions: grant.actions.filter((a) => mayAct(identity, grant.name, a)) }));
}

export function mayAct(identity: Identity, name: string, action: Action): boolean {
  return permits(identity, "registry", action === "pull" ? "read" : "write", resourceOf(name));
}
