import type { Problem } from "#lib";

const maxNameLength = 200;
const maxGroups = 50;

/** What is wrong with the user that somebody asks a token for. */
export function userProblems({ name, groups }: { readonly name: unknown; readonly groups: unknown }): Problem[] {
  const problems: Problem[] = [];
  const problem = nameProblem(name);
  if (problem !== undefined) problems.push({ path: "user", message: problem });
  else if (String(name).startsWith("system:")) {
    const message = `User "${String(name)}" is one of the cluster itself: names that begin with "system:" are reserved`;
    problems.push({ path: "user", message });
  }
  if (!Array.isArray(groups) || groups.length > maxGroups) {
    return [...problems, { path: "groups", message: `Groups are a list of at most ${maxGroups} names` }];
  }
  for (const [index, group] of groups.entries()) {
    const message = nameProblem(group) ?? reservedGroup(String(group));
    if (message !== undefined) problems.push({ path: `groups[${index}]`, message });
  }
  return problems;
}

function nameProblem(name: unknown): string | undefined {
  if (typeof name !== "string") return `A name is text: found ${JSON.stringify(name)}`;
  if (name !== "" && name.length <= maxNameLength && /^[\x21-\x7e]+$/.test(name)) return undefined;
  return `A name of 1 to ${maxNameLength} visible ASCII characters without spaces is needed: found ${JSON.stringify(name.slice(0, 50))}`;
}

/** Everybody is in these, or only service accounts are; and scopes are asked for as scopes. */
function reservedGroup(group: string): string | undefined {
  if (!/^(?:system:(?:(?:un)?authenticated|serviceaccounts)|tidegate:)/.test(group)) return undefined;
  return `Group "${group}" is not given to tokens: it says how somebody was authenticated`;
}
