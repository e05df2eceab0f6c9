import type { Problem } from "#lib";
import { required, unsupported } from "../argo/field-problem.ts";

const short = {
  ReadWriteOnce: "RWO",
  ReadOnlyMany: "ROX",
  ReadWriteMany: "RWX",
  ReadWriteOncePod: "RWOP",
} as const;
const modes = ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"] as const;

export function accessModeProblems(path: string, given: readonly string[] | undefined): Problem[] {
  if (given === undefined || given.length === 0) return [required(path, "at least 1 access mode is required")];
  const known: readonly string[] = modes;
  const problems = given
    .filter((mode) => !known.includes(mode))
    .map((mode) => unsupported(path, mode, modes.toSorted()));
  if (given.includes("ReadWriteOncePod") && given.length > 1) {
    problems.push({ path, message: "Forbidden: may not use ReadWriteOncePod with other access modes" });
  }
  return problems;
}

/** `RWO,ROX`, in upstream's order whatever the object's. */
export function accessModesText(given: readonly string[] | undefined): string {
  return modes
    .filter((mode) => given?.includes(mode) === true)
    .map((mode) => short[mode])
    .join(",");
}
