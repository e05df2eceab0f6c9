/** Reviewers of environments: here names of tokens, users and groups, there people and teams with numbers. */
import type { TokenView } from "#auth";
import { userShape } from "./people.ts";

export function reviewerShape(name: string, serverUrl: string): { readonly type: string; readonly reviewer: object } {
  const team = /^team:(?<slug>.*)$/s.exec(name)?.groups?.["slug"];
  if (team === undefined) return { type: "User", reviewer: userShape(name, serverUrl) };
  const { id, node_id } = userShape(team, serverUrl);
  return { type: "Team", reviewer: { id, node_id, name: team, slug: team } };
}

/** The name that a number stands for: numbers follow from names, so the names that tokens know are asked. */
export function reviewerName(type: string, id: number, tokens: readonly TokenView[]): string | undefined {
  const names =
    type === "Team"
      ? tokens.flatMap(({ user }) => user?.groups ?? [])
      : tokens.flatMap(({ name, user }) => (user === undefined ? [name] : [name, user.name]));
  const found = names.find((name) => userShape(name, "").id === id);
  return found === undefined || type !== "Team" ? found : `team:${found}`;
}
