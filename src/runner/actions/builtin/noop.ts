/** Actions whose work there is none of here; they say so instead of failing. */
import type { BuiltinAction } from "../builtin-action.ts";

export const setupBuildx: BuiltinAction = {
  name: "docker/setup-buildx-action",
  inputs: {
    version: "",
    name: "",
    driver: "docker-container",
    "driver-opts": "",
    "buildkitd-flags": "",
    "buildkitd-config": "",
    "buildkitd-config-inline": "",
    config: "",
    "config-inline": "",
    install: "false",
    use: "true",
    endpoint: "",
    platforms: "",
    append: "",
    "keep-state": "false",
    "cache-binary": "true",
    cleanup: "true",
  },
  versions: {
    config: { until: 3 },
    "config-inline": { until: 3 },
    install: { until: 3 },
    "cache-binary": { since: 3 },
  },
  deprecated: {
    config: "Use buildkitd-config instead",
    "config-inline": "Use buildkitd-config-inline instead",
    install:
      '"docker buildx install" command is deprecated and will be removed in a future release, use BUILDX_BUILDER environment variable instead',
  },
  async main(call) {
    call.log("Nothing to set up: images are built by Tidegate's own packer, or by the container engine of the runner");
    call.setOutput("name", call.text("name") || "tidegate");
    call.setOutput("driver", "tidegate");
    call.setOutput("platforms", `linux/${call.parts.runner.arch === "ARM64" ? "arm64" : "amd64"}`);
  },
};

export const setupQemu: BuiltinAction = {
  name: "docker/setup-qemu-action",
  inputs: { image: "docker.io/tonistiigi/binfmt:latest", platforms: "all", "cache-image": "true", reset: "false" },
  versions: { "cache-image": { since: 3 }, reset: { since: 4 } },
  async main(call) {
    call.log("Nothing to set up: Tidegate's own packer runs no foreign code, so it needs no emulation");
    call.setOutput("platforms", "");
  },
};
