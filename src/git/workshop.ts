/** All that can be done with the objects of one repository: read, compare, merge, store. No ref moves here. */
import { differences, type Differences } from "./differences.ts";
import type { GitRun } from "./git-process.ts";
import { history, type History } from "./history.ts";
import { merging, type Merging } from "./merging.ts";
import { objectReader, type ObjectReader } from "./objects.ts";
import { objectWriter, type ObjectWriter } from "./object-writer.ts";

export interface Workshop extends ObjectReader, ObjectWriter, Merging, Differences, History {}

export function openWorkshop(run: GitRun): Workshop {
  return { ...objectReader(run), ...objectWriter(run), ...merging(run), ...differences(run), ...history(run) };
}
