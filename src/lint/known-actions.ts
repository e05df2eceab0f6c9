/** What is publicly known of widely used actions. Names in lower case. */

/** Repositories that were archived by their owners, with what is used in their place. */
export const archivedActions: Readonly<Record<string, string>> = {
  "actions/create-release": "`gh release create`",
  "actions/upload-release-asset": "`gh release upload`",
  "actions/setup-ruby": "ruby/setup-ruby",
  "actions/setup-elixir": "erlef/setup-beam",
  "actions/setup-haskell": "haskell-actions/setup",
  "actions-rs/cargo": "`cargo` in a `run`",
  "actions-rs/toolchain": "`rustup` in a `run`",
  "actions-rs/clippy-check": "`cargo clippy` in a `run`",
  "actions-rs/audit-check": "rustsec/audit-check",
  "actions-rs/install": "`cargo install --locked` in a `run`",
};

/** What a `run` does with less to trust. */
export const superfluousActions: Readonly<Record<string, string>> = {
  "actions/create-release": "`gh release create`",
  "ncipollo/release-action": "`gh release create`",
  "softprops/action-gh-release": "`gh release create`",
  "svenstaro/upload-release-action": "`gh release upload`",
  "peter-evans/create-or-update-comment": "`gh issue comment`",
  "peter-evans/enable-pull-request-automerge": "`gh pr merge --auto`",
  "dtolnay/rust-toolchain": "`rustup toolchain install`",
  "actions-rs/toolchain": "`rustup toolchain install`",
};

/** Names a typing error is measured against. */
export const popularActions: readonly string[] = [
  "actions/checkout",
  "actions/cache",
  "actions/setup-node",
  "actions/setup-python",
  "actions/setup-go",
  "actions/setup-java",
  "actions/setup-dotnet",
  "actions/upload-artifact",
  "actions/download-artifact",
  "actions/github-script",
  "actions/deploy-pages",
  "actions/upload-pages-artifact",
  "actions/configure-pages",
  "actions/labeler",
  "actions/stale",
  "actions/attest-build-provenance",
  "actions/create-github-app-token",
  "aquasecurity/trivy-action",
  "astral-sh/setup-uv",
  "aws-actions/amazon-ecr-login",
  "aws-actions/configure-aws-credentials",
  "azure/login",
  "azure/setup-helm",
  "azure/setup-kubectl",
  "codecov/codecov-action",
  "docker/build-push-action",
  "docker/login-action",
  "docker/metadata-action",
  "docker/setup-buildx-action",
  "docker/setup-qemu-action",
  "github/codeql-action",
  "golangci/golangci-lint-action",
  "google-github-actions/auth",
  "gradle/actions",
  "hashicorp/setup-terraform",
  "helm/kind-action",
  "peter-evans/create-pull-request",
  "pnpm/action-setup",
  "pypa/gh-action-pypi-publish",
  "ruby/setup-ruby",
  "shivammathur/setup-php",
  "sigstore/cosign-installer",
  "slackapi/slack-github-action",
  "softprops/action-gh-release",
  "swatinem/rust-cache",
  "tj-actions/changed-files",
];

/** First major version that runs on a Node.js still served; those before it are refused or moved by runners. */
export const outdatedBelow: Readonly<Record<string, number>> = {
  "actions/checkout": 4,
  "actions/cache": 4,
  "actions/setup-node": 4,
  "actions/setup-python": 5,
  "actions/setup-go": 5,
  "actions/setup-java": 4,
  "actions/upload-artifact": 4,
  "actions/download-artifact": 4,
  "actions/github-script": 7,
  "docker/build-push-action": 5,
  "docker/login-action": 3,
  "docker/metadata-action": 5,
  "docker/setup-buildx-action": 3,
  "docker/setup-qemu-action": 3,
  "aws-actions/configure-aws-credentials": 4,
  "codecov/codecov-action": 4,
};

/** Actions that restore a cache, and the input (with the value) that keeps them from it. Without one: always. */
export const cachingActions: Readonly<
  Record<string, { readonly optIn?: string; readonly optOut?: readonly [string, string] }>
> = {
  "actions/cache": { optOut: ["lookup-only", "true"] },
  "actions/setup-node": { optIn: "cache" },
  "actions/setup-python": { optIn: "cache" },
  "actions/setup-java": { optIn: "cache" },
  "actions/setup-dotnet": { optIn: "cache" },
  "actions/setup-go": { optOut: ["cache", "false"] },
  "astral-sh/setup-uv": { optOut: ["enable-cache", "false"] },
  "ruby/setup-ruby": { optIn: "bundler-cache" },
  "swatinem/rust-cache": { optOut: ["lookup-only", "true"] },
  "gradle/actions": { optOut: ["cache-disabled", "true"] },
  "golangci/golangci-lint-action": { optOut: ["skip-cache", "true"] },
};

/** Actions that publish what others will run. */
export const publishingActions: ReadonlySet<string> = new Set([
  "pypa/gh-action-pypi-publish",
  "rubygems/release-gem",
  "softprops/action-gh-release",
  "ncipollo/release-action",
  "goreleaser/goreleaser-action",
  "docker/build-push-action",
  "changesets/action",
]);
