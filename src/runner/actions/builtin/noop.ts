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
    const name = call.text("name") || "tidegate";
    const platforms = `linux/${call.parts.runner.arch === "ARM64" ? "arm64" : "amd64"}`;
    const node = { name, endpoint: call.text("endpoint"), status: "running", "buildkitd-flags": "", platforms };
    call.setOutput("name", name);
    call.setOutput("driver", "tidegate");
    call.setOutput("platforms", platforms);
    call.setOutput("nodes", JSON.stringify([node], undefined, 2));
    // Of the first node alone, for workflows that have not looked at the list since there is one.
    call.setOutput("endpoint", node.endpoint);
    call.setOutput("status", node.status);
    call.setOutput("flags", "");
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
