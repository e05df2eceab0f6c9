/** `linux/amd64`, `linux/arm64/v8`: which variant of an image is meant. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

export function parsePlatform(text: string): Platform | undefined {
  const match = /^([a-z0-9]+)\/([a-z0-9_]+)(?:\/([a-z0-9]+))?$/.exec(text.trim().toLowerCase());
  if (match === null) return undefined;
  const [, os = "", written = "", variant] = match;
  const architecture = written === "x86_64" ? "amd64" : written === "aarch64" ? "arm64" : written;
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

export function formatPlatform(platform: Platform): string {
  return [platform.os, platform.architecture, platform.variant].filter((part) => part !== undefined).join("/");
}

/** Images run on Linux, whatever machine builds them; the architecture is that of the machine. */
export function platformOf(nodeArch: string): Platform {
  return { os: "linux", architecture: nodeArch === "x64" ? "amd64" : nodeArch };
}

/** Whether an image for `offered` runs where `wanted` is asked for; arm64 means arm64/v8. */
export function platformFits(offered: Platform, wanted: Platform): boolean {
  if (offered.os !== wanted.os || offered.architecture !== wanted.architecture) return false;
  if (wanted.variant === undefined || offered.variant === undefined) return true;
  return offered.variant === wanted.variant;
}
