/** Names that widely used actions take and give, those of all their versions together. */
export interface KnownAction {
  /** Separated by blanks. */
  readonly inputs: string;
  /** Those that every version needs. */
  readonly required?: string;
  /** Absent: not told. */
  readonly outputs?: string;
}

/** By `owner/repository` and the path within it, in lower case. */
export const knownActions: Readonly<Record<string, KnownAction>> = {
  "actions/checkout": {
    inputs:
      "allow-unsafe-pr-checkout clean fetch-depth fetch-tags filter github-server-url lfs path persist-credentials ref repository set-safe-directory show-progress sparse-checkout sparse-checkout-cone-mode ssh-key ssh-known-hosts ssh-strict ssh-user submodules token",
    outputs: "ref commit",
  },
  "actions/cache": {
    inputs: "enableCrossOsArchive fail-on-cache-miss key lookup-only path restore-keys save-always upload-chunk-size",
    required: "key path",
    outputs: "cache-hit cache-primary-key cache-matched-key",
  },
  "actions/cache/restore": {
    inputs: "enableCrossOsArchive fail-on-cache-miss key lookup-only path restore-keys",
    required: "key path",
    outputs: "cache-hit cache-primary-key cache-matched-key",
  },
  "actions/cache/save": {
    inputs: "enableCrossOsArchive key path upload-chunk-size",
    required: "key path",
  },
  "actions/setup-node": {
    inputs:
      "always-auth architecture cache cache-dependency-path check-latest mirror mirror-token node-version node-version-file package-manager-cache registry-url scope token",
    outputs: "cache-hit node-version",
  },
  "actions/setup-python": {
    inputs:
      "allow-prereleases architecture cache cache-dependency-path check-latest freethreaded pip-install pip-version python-version python-version-file token update-environment",
    outputs: "cache-hit python-version python-path",
  },
  "actions/setup-go": {
    inputs:
      "architecture cache cache-dependency-path check-latest go-download-base-url go-version go-version-file token",
    outputs: "cache-hit go-version",
  },
  "actions/setup-java": {
    inputs:
      "architecture cache cache-dependency-path cache-jdk cache-path cache-read-only check-latest distribution force-download gpg-passphrase gpg-passphrase-env-var gpg-private-key java-package java-version java-version-file jdk-file jdkFile job-status mvn-toolchain-id mvn-toolchain-vendor overwrite-settings problem-matcher server-id server-password server-password-env-var server-username server-username-env-var set-default settings-path show-download-progress token verify-signature verify-signature-public-key",
  },
  "actions/upload-artifact": {
    inputs: "archive compression-level if-no-files-found include-hidden-files name overwrite path retention-days",
    required: "path",
    outputs: "artifact-id artifact-url artifact-digest",
  },
  "actions/upload-artifact/merge": {
    inputs: "compression-level delete-merged include-hidden-files name pattern retention-days separate-directories",
  },
  "actions/download-artifact": {
    inputs:
      "artifact-ids digest-mismatch github-token merge-multiple name path pattern repository run-id skip-decompress",
    outputs: "download-path",
  },
  "actions/github-script": {
    inputs: "base-url debug github-token previews result-encoding retries retry-exempt-status-codes script user-agent",
    required: "script",
  },
  "docker/login-action": {
    inputs: "ecr logout password registry registry-auth scope username",
  },
  "docker/metadata-action": {
    inputs:
      "annotations bake-target context flavor github-token images labels sep-annotations sep-labels sep-tags tags",
  },
  "docker/setup-buildx-action": {
    inputs:
      "append buildkitd-config buildkitd-config-inline buildkitd-flags cache-binary cleanup config config-inline driver driver-opts endpoint install keep-state name platforms use version",
  },
  "docker/setup-qemu-action": {
    inputs: "cache-image image platforms reset",
  },
  "docker/build-push-action": {
    inputs:
      "add-hosts add_git_labels allow always_pull annotations attests build-args build-contexts build_args builder cache-from cache-to cache_froms call cgroup-parent context dockerfile file github-token labels load network no-cache no-cache-filters outputs password path platforms provenance pull push registry repository sbom secret-envs secret-files secrets shm-size ssh tag_with_ref tag_with_sha tags target ulimit username",
  },
  "aws-actions/configure-aws-credentials": {
    inputs:
      "action-timeout-s allowed-account-ids audience aws-access-key-id aws-profile aws-region aws-secret-access-key aws-session-token custom-tags disable-retry force-skip-oidc http-proxy inline-session-policy managed-session-policies mask-aws-account-id no-proxy output-credentials output-env-credentials overwrite-aws-profile retry-max-attempts role-chaining role-duration-seconds role-external-id role-session-name role-skip-session-tagging role-to-assume special-characters-workaround sts-endpoint transitive-tag-keys unset-current-credentials use-existing-credentials web-identity-token-file",
    required: "aws-region",
  },
  "aws-actions/amazon-ecr-login": {
    inputs: "http-proxy mask-password registries registry-type skip-logout",
  },
  "codecov/codecov-action": {
    inputs:
      "base_sha binary codecov_yml_path commit_parent directory disable_file_fixes disable_safe_directory disable_search disable_telem dry_run env_vars exclude fail_ci_if_error file files flags force functionalities gcov_args gcov_executable gcov_ignore gcov_include git_service handle_no_reports_found job_code name network_filter network_prefix os override_branch override_build override_build_url override_commit override_pr plugin plugins recurse_submodules report_code report_type root_dir run_command skip_validation slug swift_project token url use_legacy_upload_endpoint use_oidc use_pypi verbose version working-directory working_directory",
  },
  "aquasecurity/trivy-action": {
    inputs:
      "cache cache-dir docker-host exit-code format github-pat hide-progress ignore-policy ignore-unfixed image-ref input limit-severities-for-sarif list-all-pkgs output scan-ref scan-type scanners severity skip-dirs skip-files skip-setup-trivy template tf-vars timeout token-setup-trivy trivy-config trivyignores version vuln-type",
  },
  "github/codeql-action/upload-sarif": {
    inputs: "category checkout_path matrix ref sarif_file sha token wait-for-processing",
  },
};
