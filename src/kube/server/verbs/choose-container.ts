import type { Pod } from "#api";
import { badRequest } from "../refusals.ts";

/** The one asked for, or the only one. Throws BadRequest, in upstream's words, when that leaves a choice. */
export function chooseContainer(pod: Pod, asked: string): string {
  const { containers = [], initContainers = [] } = (pod as Partial<Pod>).spec ?? {};
  const names = [...initContainers, ...containers].map(({ name }) => name);
  const { name } = pod.metadata;
  if (asked !== "") {
    if (names.includes(asked)) return asked;
    throw badRequest(`container ${asked} is not valid for pod ${name}`);
  }
  const [only, ...others] = containers;
  if (only === undefined) throw badRequest(`a container name must be specified for pod ${name}`);
  if (others.length === 0) return only.name;
  throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${names.join(" ")}]`);
}
