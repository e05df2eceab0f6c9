/** Name and version of the distribution, as keys of caches have them. */
import { findProgram, readFileIfExists } from "#lib";
import type { ActionCall } from "../builtin-action.ts";

export interface OperatingSystem {
  readonly name: string;
  readonly version: string;
}

export async function operatingSystem(call: ActionCall): Promise<OperatingSystem> {
  const { workspace } = call.parts.folders;
  const lsb = findProgram("lsb_release", call.step.scope.job.searchPath(), workspace);
  if (lsb !== undefined) {
    const { exitCode, stdout } = await call.try(lsb, ["-i", "-r", "-s"], { quiet: true });
    const [name = "", version = ""] = stdout.trim().split("\n");
    if (exitCode === 0 && name !== "") return { name, version };
  }
  return parseOsRelease((await readFileIfExists("/etc/os-release")) ?? "");
}

export function parseOsRelease(text: string): OperatingSystem {
  const values = new Map(
    text.split("\n").flatMap((line) => {
      const at = line.indexOf("=");
      return at === -1
        ? []
        : [
            [
              line.slice(0, at).trim(),
              line
                .slice(at + 1)
                .trim()
                .replaceAll('"', ""),
            ] as const,
          ];
    }),
  );
  return { name: values.get("ID") ?? "Linux", version: values.get("VERSION_ID") ?? "" };
}
