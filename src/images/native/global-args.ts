/** ARGs before the first FROM, and those every build has. */
import { expandWord } from "../dockerfile/expand.ts";
import type { ArgInstruction } from "../dockerfile/instruction.ts";
import { formatPlatform, type Platform } from "../platform.ts";

/** Global ARGs see only those before them. */
export function globalArgValues(
  args: readonly ArgInstruction[],
  buildArgs: ReadonlyMap<string, string>,
  predefined: ReadonlyMap<string, string>,
  escape: string,
): Map<string, string> {
  const values = new Map(predefined);
  for (const { name, value } of args.flatMap((arg) => arg.names)) {
    const chosen =
      buildArgs.get(name) ?? (value === undefined ? undefined : expandWord(value, (key) => values.get(key), escape));
    if (chosen !== undefined) values.set(name, chosen);
  }
  return values;
}

/** Dockerfile reference, "Automatic platform ARGs in the global scope". */
export function platformArgs(platform: Platform): Map<string, string> {
  const parts: [string, string][] = [
    ["PLATFORM", formatPlatform(platform)],
    ["OS", platform.os],
    ["ARCH", platform.architecture],
    ["VARIANT", platform.variant ?? ""],
  ];
  return new Map(
    ["TARGET", "BUILD"].flatMap((side) => parts.map(([name, value]) => [`${side}${name}`, value] as const)),
  );
}
