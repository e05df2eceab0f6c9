/** What is publicly known of actions that restore caches, and of those that publish. Names in lower case. */

/** What a step gives the action. */
export interface ActionUse {
  /** An input's text; undefined when it is not given. */
  input(name: string): string | undefined;
  /** Major version; undefined when the reference does not tell. */
  readonly major: number | undefined;
}

/** `maybe`: an expression or an unknown version decides. */
export type Restores = "yes" | "no" | "maybe";

function flag(name: string, unless: boolean): (use: ActionUse) => Restores {
  return (use) => switched(use.input(name), unless);
}

/** The other way round: `true` keeps it from restoring. */
function off(name: string): (use: ActionUse) => Restores {
  return (use) => ({ yes: "no", no: "yes", maybe: "maybe" })[switched(use.input(name), false)] as Restores;
}

function named(name: string): (use: ActionUse) => Restores {
  return ({ input }) => {
    const text = input(name);
    if (text === undefined || text === "" || text === "false") return "no";
    return text.includes("${{") ? decided(text) : "yes";
  };
}

function switched(text: string | undefined, unless: boolean): Restores {
  if (text === undefined || text === "") return unless ? "yes" : "no";
  if (text.includes("${{")) return decided(text);
  return /^(?:false|no|0)$/i.test(text) ? "no" : "yes";
}

/** Tags are what releases are made of. */
const onlyForTags =
  /^startsWith\(\s*github\.ref\s*,\s*'refs\/tags\/'\s*\)$|^(?:[^!|]*&&\s*)?github\.ref_type\s*==\s*'tag'$/i;

/** An expression that looks at the ref or the event tells releases apart; one of a constant is that constant. */
function decided(text: string): Restores {
  const inner = /^\s*\$\{\{\s*([^]*?)\s*\}\}\s*$/.exec(text)?.[1] ?? "";
  if (inner === "true" || onlyForTags.test(inner)) return "yes";
  if (inner === "false" || /\bgithub\s*[.[]/.test(inner)) return "no";
  return "maybe";
}

const always = (): Restores => "yes";

export const cachingActions: Readonly<Record<string, (use: ActionUse) => Restores>> = {
  "actions/cache": off("lookup-only"),
  "actions/cache/restore": off("lookup-only"),
  "actions/setup-node": (use) => {
    const asked = named("cache")(use);
    if (asked === "yes") return "yes";
    // Since version 5 it caches by itself for npm.
    if (use.major !== undefined && use.major < 5) return asked;
    const own = flag("package-manager-cache", true)(use);
    return own === "yes" && use.major === undefined ? "maybe" : own;
  },
  "actions/setup-python": named("cache"),
  "actions/setup-java": named("cache"),
  "actions/setup-dotnet": flag("cache", false),
  "actions/setup-go": flag("cache", true),
  "astral-sh/setup-uv": (use) => {
    const given = use.input("enable-cache");
    if (given === "true") return "yes";
    if (given?.includes("${{") === true) return decided(given);
    // From version 10 on nothing else turns it on.
    if (use.major !== undefined && use.major >= 10) return "no";
    const own = flag("enable-cache", true)(use);
    return own === "yes" && use.major === undefined ? "maybe" : own;
  },
  "swatinem/rust-cache": off("lookup-only"),
  "ruby/setup-ruby": flag("bundler-cache", false),
  "pyo3/maturin-action": flag("sccache", false),
  "mlugg/setup-zig": flag("use-cache", true),
  "oven-sh/setup-bun": off("no-cache"),
  "determinatesystems/magic-nix-cache-action": flag("use-gha-cache", true),
  "graalvm/setup-graalvm": named("cache"),
  "gradle/actions/setup-gradle": off("cache-disabled"),
  "gradle/gradle-build-action": off("cache-disabled"),
  "docker/setup-buildx-action": (use) => (use.input("version") === undefined ? "no" : flag("cache-binary", true)(use)),
  "actions-rust-lang/setup-rust-toolchain": flag("cache", true),
  "mozilla-actions/sccache-action": always,
  "nix-community/cache-nix-action": always,
  "jdx/mise-action": flag("cache", true),
  "ramsey/composer-install": (use) => (/^(?:yes|true|1)$/i.test(use.input("ignore-cache") ?? "") ? "no" : "yes"),
  "awalsh128/cache-apt-pkgs-action": always,
  "golangci/golangci-lint-action": off("skip-cache"),
};

/** Actions that publish what others will run. */
export const publishingActions: ReadonlySet<string> = new Set([
  "pypa/gh-action-pypi-publish",
  "rubygems/release-gem",
  "jreleaser/release-action",
  "softprops/action-gh-release",
  "ncipollo/release-action",
  "goreleaser/goreleaser-action",
  "release-drafter/release-drafter",
  "googleapis/release-please-action",
  "docker/build-push-action",
  "redhat-actions/push-to-registry",
  "changesets/action",
  "aws-actions/amazon-ecs-deploy-task-definition",
  "aws-actions/aws-cloudformation-github-deploy",
  "azure/aci-deploy",
  "azure/container-apps-deploy-action",
  "azure/functions-action",
  "azure/sql-action",
  "azure/webapps-deploy",
  "cloudflare/wrangler-action",
  "google-github-actions/deploy-appengine",
  "google-github-actions/deploy-cloudrun",
  "google-github-actions/deploy-cloud-functions",
]);
