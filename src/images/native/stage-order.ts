/** Which stages a target needs, and what in them cannot be done without a container engine: pure. */
import type { Problem } from "#lib";
import type { CopyInstruction, Dockerfile, Stage } from "../dockerfile/instruction.ts";

/** The stage to build, by name, by number, or the last. */
export function targetStage(dockerfile: Dockerfile, target: string | undefined): Stage | undefined {
  return target === undefined || target === "" ? dockerfile.stages.at(-1) : findStage(dockerfile, target);
}

/** By name (case does not count; the last of that name wins) or by number, among the stages before `before`. */
export function findStage(dockerfile: Dockerfile, name: string, before = Infinity): Stage | undefined {
  const earlier = dockerfile.stages.filter((stage) => stage.index < before);
  const named = earlier.findLast((stage) => stage.name === name.toLowerCase());
  if (named !== undefined) return named;
  return /^\d+$/.test(name) ? earlier.find((stage) => stage.index === Number(name)) : undefined;
}

/** The stages the target stands on, itself last, in file order. Others are not built, as BuildKit does. */
export function neededStages(dockerfile: Dockerfile, target: Stage): Stage[] {
  const needed = new Set<Stage>();
  const visit = (stage: Stage): void => {
    if (needed.has(stage)) return;
    needed.add(stage);
    const base = findStage(dockerfile, stage.base, stage.index);
    if (base !== undefined) visit(base);
    for (const instruction of stage.instructions) {
      if (instruction.kind !== "copy" || instruction.from === undefined) continue;
      const source = findStage(dockerfile, instruction.from, stage.index);
      if (source !== undefined) visit(source);
    }
  };
  visit(target);
  return [...needed].sort((a, b) => a.index - b.index);
}

/** One problem for each RUN in the stages that will be built; empty when the native packer can do it. */
export function engineProblems(stages: readonly Stage[], engineSearch: string): Problem[] {
  return stages.flatMap((stage) =>
    stage.instructions
      .filter((instruction) => instruction.kind === "run")
      .map((instruction) => ({ path: "RUN", message: runMessage(engineSearch), at: instruction.at })),
  );
}

export function runMessage(engineSearch: string): string {
  return `RUN needs a container engine: ${engineSearch}. Install docker, podman or buildah where the runner runs, or run the command in a workflow step and COPY its result`;
}

/** What ADD can do elsewhere but not here. */
export function addProblem(instruction: CopyInstruction): string | undefined {
  const url = instruction.sources.find((source) => /^(?:https?|git|ssh):\/\/|^git@/.test(source));
  if (instruction.kind !== "add" || url === undefined) return undefined;
  return "ADD of a URL needs a container engine: download the file in a workflow step and COPY it instead";
}

/** Whether building `target` runs commands, or fetches URLs, which only a container engine does. */
export function needsEngine(dockerfile: Dockerfile, target: string | undefined): boolean {
  const stage = targetStage(dockerfile, target);
  if (stage === undefined) return false;
  return neededStages(dockerfile, stage).some((needed) =>
    needed.instructions.some(
      (instruction) =>
        instruction.kind === "run" || (instruction.kind === "add" && addProblem(instruction) !== undefined),
    ),
  );
}
