/** Files that tell other robots what to fetch: Dependabot's, pre-commit's. */
import type { Rule } from "../finding.ts";
import { itemsOf, nodeAt, pairAt, textAt, textOf } from "../tree.ts";

/** Days in which most hijacked releases are found out. */
const cooldownDays = 7;

export const dependabotCooldown: Rule = {
  name: "dependabot-cooldown",
  summary: "Updates are taken before anyone has found out what is wrong with them",
  severity: "note",
  kinds: ["dependabot"],
  *check(document, settings) {
    const wanted = settings.days ?? cooldownDays;
    for (const update of itemsOf(nodeAt(document.root, "updates"))) {
      const days = nodeAt(update, "cooldown", "default-days");
      const cooldown = pairAt(update, "cooldown");
      const at = days?.start ?? cooldown?.key.start ?? update.start;
      // What Dependabot waits by itself.
      if (Number(textOf(days) ?? 3) >= wanted) continue;
      const message =
        days === undefined
          ? `Add "cooldown" with "default-days: ${wanted}"`
          : `Wait ${wanted} days rather than ${textOf(days)}`;
      yield { at, message };
    }
  },
};

export const dependabotExecution: Rule = {
  name: "dependabot-execution",
  summary: "Updating runs the code of what is updated",
  severity: "error",
  kinds: ["dependabot"],
  *check(document) {
    for (const update of itemsOf(nodeAt(document.root, "updates"))) {
      const pair = pairAt(update, "insecure-external-code-execution");
      if (textOf(pair?.value) === "allow" && pair !== undefined)
        yield {
          at: pair.key.start,
          message: `Remove "${pair.key.value}": it runs the code of packages with the credentials of updates`,
        };
    }
  },
};

export const insecureUrlScheme: Rule = {
  name: "insecure-url-scheme",
  summary: "Code is fetched over a connection that anyone between can change",
  severity: "error",
  kinds: ["pre-commit"],
  *check(document) {
    for (const item of itemsOf(nodeAt(document.root, "repos"))) {
      const url = textAt(item, "repo") ?? "";
      const scheme = /^(http|git|ftp|svn|rsync):\/\//.exec(url)?.[1];
      if (scheme !== undefined)
        yield {
          at: nodeAt(item, "repo")?.start ?? item.start,
          message: `"${url}" is fetched over ${scheme}. Use https`,
        };
    }
  },
};
