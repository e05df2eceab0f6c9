/** Whose code a run was about: of a pull request from a fork, the fork's. Pure. */
import type { ContextObject } from "../protocol.ts";
import { field, text } from "./event.ts";

/** @param repository of the run, in which it is when the event says nothing else */
export function headRepository(payload: ContextObject, repository: string): string {
  const pull = field(payload, "pull_request");
  const head = text(field(field(pull, "head"), "repo"), "full_name");
  // Of a mirror, where the repository may have another name than here.
  const base = text(field(field(pull, "base"), "repo"), "full_name") ?? repository;
  return head === undefined || head.toLowerCase() === base.toLowerCase() ? repository : head;
}
