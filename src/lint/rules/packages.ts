/** What scripts fetch and publish beside what a lock file or an identity would hold them to. */
import { expressionsIn, readsOf } from "../expressions.ts";
import type { LintDocument, LintJob, LintStep } from "../document.ts";
import type { Found, Rule } from "../finding.ts";
import { placedCommands } from "../scripts/commands.ts";
import { nodeAt, pairAt, pairsOf, textAt, textOf } from "../tree.ts";
import { parseUses } from "../uses.ts";

const npmInstalls = "install i in ins inst insta instal isnt isnta isntal isntall add";

/** Sub-commands that take names of packages, and what installs from the lock file. */
const installers: Readonly<Record<string, { readonly by: string; readonly instead: string }>> = {
  npm: { by: npmInstalls, instead: "npm ci" },
  pnpm: { by: "add dlx", instead: "pnpm install --frozen-lockfile" },
  yarn: { by: "add", instead: "yarn install --immutable" },
  gem: { by: "install i", instead: "bundle install" },
  bundle: { by: "add", instead: "bundle install" },
};

export const adhocPackages: Rule = {
  name: "adhoc-packages",
  summary: "A package that no lock file holds to a version",
  severity: "note",
  kinds: ["workflow", "action"],
  *check(document) {
    for (const step of document.steps) {
      for (const { words, at } of placedCommands(document, step)) {
        const [program = "", ...rest] = words;
        const known = installers[program];
        const names = rest.filter((word) => !word.startsWith("-") && word !== "global");
        if (known === undefined || names[1] === undefined || !known.by.split(" ").includes(names[0] ?? "")) continue;
        // A folder or an archive that the job has made is no package of others.
        if (/^(?:\.|\/|[\w./-]+\.(?:tgz|gem)$)/.test(names[1])) continue;
        yield {
          at,
          message: `"${shown(words)}" installs whatever is newest, it or what it needs. Add it to the lock file and use "${known.instead}"`,
        };
      }
    }
  },
};

/** Expressions are underscores in a command. */
function shown(words: readonly string[]): string {
  const text = words.join(" ").replaceAll(/_{6,}/g, "…");
  return text.length <= 80 ? text : `${text.slice(0, 80)}…`;
}

/** Words in this order, others between them; `dry` are those that make it a rehearsal. */
interface Publishing {
  readonly words: readonly string[];
  readonly dry?: readonly string[];
}

const dryRun = ["--dry-run"];
const publishings: readonly Publishing[] = [
  { words: ["cargo", "publish"], dry: ["--dry-run", "-n"] },
  { words: ["uv", "publish"], dry: dryRun },
  { words: ["uv", "run", "twine", "upload"] },
  { words: ["uvx", "twine", "upload"] },
  { words: ["hatch", "publish"] },
  { words: ["pdm", "publish"] },
  { words: ["poetry", "publish"], dry: dryRun },
  { words: ["twine", "upload"] },
  { words: ["pipx", "run", "twine", "upload"] },
  { words: ["python", "-m", "twine", "upload"] },
  { words: ["gem", "push"] },
  { words: ["bundle", "exec", "gem", "push"] },
  { words: ["npm", "publish"], dry: dryRun },
  { words: ["yarn", "publish"] },
  { words: ["yarn", "npm", "publish"], dry: ["--dry-run", "-n"] },
  { words: ["pnpm", "publish"], dry: dryRun },
  { words: ["bun", "publish"], dry: dryRun },
  { words: ["bunx", "npm", "publish"], dry: dryRun },
  { words: ["nuget", "push"] },
  { words: ["dotnet", "nuget", "push"] },
];

function publishes(words: readonly string[]): boolean {
  const program = (words[0] ?? "").replace(/\.exe$/, "").replace(/^python[\d.]*$/, "python");
  return publishings.some(({ words: [first, ...rest], dry = [] }) => {
    if (first !== program || words.some((word) => dry.includes(word))) return false;
    let at = 0;
    return rest.every((wanted) => {
      at = words.findIndex((word, index) => index > at && isWord(word, wanted));
      return at > 0;
    });
  });
}

/** `twine==6.1.0` and `npm@11` are those programs. */
function isWord(word: string, wanted: string): boolean {
  return word === wanted || word.startsWith(`${wanted}==`) || word.startsWith(`${wanted}@`);
}

/** Publishing actions: the inputs that carry a long-lived token, and which address makes it another index. */
const publishers: Readonly<
  Record<
    string,
    { readonly token: string; readonly index: string; readonly at: readonly string[]; readonly own: RegExp }
  >
> = {
  "pypa/gh-action-pypi-publish": {
    token: "password",
    index: "PyPI",
    at: ["repository-url", "repository_url"],
    own: /^https:\/\/(?:upload|test)\.pypi\.org\//,
  },
  "rubygems/configure-rubygems-credentials": {
    token: "api-token",
    index: "RubyGems",
    at: ["gem-server"],
    own: /^https:\/\/rubygems\.org\/?$/,
  },
  "js-devtools/npm-publish": { token: "token", index: "npm", at: ["registry"], own: npmIndex() },
};

function npmIndex(): RegExp {
  return /^https:\/\/registry\.npmjs\.org\/?$/;
}

export const useTrustedPublishing: Rule = {
  name: "use-trusted-publishing",
  summary: "A long-lived token where the index takes a job's identity",
  severity: "note",
  kinds: ["workflow", "action"],
  *check(document) {
    for (const step of document.steps) {
      yield* publishingAction(step);
      if (document.kind === "action" || hasIdentity(document, step.job)) continue;
      for (const { words, at } of placedCommands(document, step)) {
        if (!publishes(words)) continue;
        // Without a secret in sight it may publish to an index that takes no identities.
        const pedantic = !readsSecret(document, step);
        const message = `"${shown(words)}" can use the identity of the job ("id-token: write") in place of a token`;
        yield { at, message, pedantic };
      }
    }
  },
};

function* publishingAction(step: LintStep): Iterable<Found> {
  const uses = parseUses(step.uses ?? "");
  if (uses?.kind !== "repository") return;
  const inputs = nodeAt(step.node, "with");
  const at = nodeAt(step.node, "uses")?.start ?? step.node.start;
  const known = publishers[uses.slug];
  const token = known === undefined ? undefined : pairAt(inputs, known.token);
  if (known !== undefined && token !== undefined) {
    const url = known.at.map((name) => textAt(inputs, name)).find((text) => text !== undefined);
    if (url !== undefined && !known.own.test(url)) return;
    const message = `${known.index} takes the identity of the job ("id-token: write") in place of this token`;
    yield { at: token.key.start, message };
  }
  if (uses.slug === "rubygems/release-gem" && textAt(inputs, "setup-trusted-publisher") === "false") {
    yield { at, message: `RubyGems takes the identity of the job. Leave "setup-trusted-publisher" on` };
  }
  const registry = textAt(inputs, "registry-url");
  if (uses.slug !== "actions/setup-node" || textAt(inputs, "always-auth") !== "true") return;
  if (registry === undefined || npmIndex().test(registry)) {
    yield {
      at,
      message: `npm takes the identity of the job ("id-token: write") in place of a token for "always-auth"`,
    };
  }
}

function hasIdentity(document: LintDocument, job: LintJob | undefined): boolean {
  const permissions = nodeAt(job?.node, "permissions") ?? nodeAt(document.root, "permissions");
  return textOf(permissions) === "write-all" || textAt(permissions, "id-token") === "write";
}

function readsSecret(document: LintDocument, step: LintStep): boolean {
  const environments = [step.node, step.job?.node, document.root].flatMap((owner) => pairsOf(nodeAt(owner, "env")));
  return [nodeAt(step.node, "run"), ...environments.map((pair) => pair.value)]
    .flatMap((node) => expressionsIn(document, node))
    .some(({ tree }) => tree !== undefined && readsOf(tree).some((path) => path.startsWith("secrets.")));
}
