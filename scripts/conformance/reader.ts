/**
 * `workflow-parser/testdata/reader/*.yml` of actions/languageservices: options, a workflow, called workflows, and the
 * model or the errors that are expected. Errors are compared by their places: the words are ours.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { formatProblem, hasErrors, type Problem } from "../../src/lib/index.ts";
import { linkCalls, parseWorkflowFile, type CalledFile, type Workflow } from "../../src/workflows/index.ts";
import { limitedDefault, openDefault } from "../../src/workflows/plan/permissions.ts";
import { differences } from "./reader-model.ts";
import type { Case } from "./tally.ts";

/** Cases that expect what GitHub does no more, or count what no other program can. */
const notJudged: Readonly<Record<string, string>> = {
  "errors-anchor-tag.yml": "GitHub takes anchors since 2025",
  "events-mapping-all.yml": "GitHub refuses the file when it is run: branches exclude branches-ignore",
  "yaml-schema-str-flow-styles.yml": "is no YAML: a line of a text in quotes stands too far to the left",
  "errors-max-result-size.yml": "counts the memory of the objects of another implementation",
  "max-result-size.yml": "counts the memory of the objects of another implementation",
  "errors-reusable-workflow-max-result-size.yml": "counts the memory of the objects of another implementation",
};

interface Options {
  readonly skip?: readonly string[];
  readonly "permissions-policy"?: string;
  readonly "max-depth"?: number;
  readonly "max-file-size"?: number;
  readonly "max-job-limit"?: number;
  readonly "max-nested-reusable-workflows-depth"?: number;
  readonly "skip-reusable-workflows"?: boolean;
}

export async function* readerCases(folder: string): AsyncGenerator<Case> {
  const left = new Set(readFileSync(join(folder, "skipped-tests.txt"), "utf8").split("\n"));
  for (const file of readdirSync(join(folder, "reader")).toSorted()) {
    const group = left.has(file) ? "left out by the TypeScript package" : "run by the TypeScript package";
    const skipped = notJudged[file];
    if (skipped !== undefined) yield { name: file, group, skipped };
    else {
      const failure = await check(file, readFileSync(join(folder, "reader", file), "utf8")).catch(String);
      yield failure === undefined ? { name: file, group } : { name: file, group, failure };
    }
  }
}

async function check(file: string, whole: string): Promise<string | undefined> {
  const documents = whole.split(/\r?\n---\r?\n/);
  const options = (parse(documents[0] ?? "") ?? {}) as Options;
  const expected = JSON.parse(documents.at(-1) ?? "{}") as Record<string, unknown>;
  const called = new Map<string, string>();
  const pairs = file.includes("reusable") || file.includes("partial") ? documents.slice(2, -1) : [];
  for (let i = 0; i + 1 < pairs.length; i += 2) called.set(pairs[i] ?? "", pairs[i + 1] ?? "");
  const path = `.github/workflows/${file}`;
  const { workflow, problems } = await read(path, documents[1] ?? "", called, options);
  // What only editors are to refuse is a warning of ours.
  const editors = options.skip?.includes("C#") === true && options.skip.includes("Go");
  const errors = problems.filter((problem) => editors || problem.severity !== "warning");
  const wanted = expected["errors"] as readonly { readonly Message: string }[] | undefined;
  if (wanted !== undefined) return missing(wanted, errors, path);
  if (hasErrors(errors)) return errors.map(formatProblem).join("; ");
  if (workflow === undefined) return "no workflow was read";
  return differences(workflow, expected, options["skip-reusable-workflows"] === true);
}

async function read(
  path: string,
  text: string,
  called: ReadonlyMap<string, string>,
  options: Options,
): Promise<{ readonly workflow?: Workflow; readonly problems: readonly Problem[] }> {
  const { "max-depth": depth = 50, "max-file-size": textLength = 1024 * 1024 } = options;
  const parsed = parseWorkflowFile(path, text, { depth, textLength, nodes: 100_000 });
  if (parsed.value === undefined || options["skip-reusable-workflows"] === true) {
    return { problems: parsed.problems, ...(parsed.value === undefined ? {} : { workflow: parsed.value }) };
  }
  const origin = { repository: "own/repository", ref: "refs/heads/main", sha: "0".repeat(40) };
  const linked = await linkCalls(parsed.value, {
    origin,
    load: ({ repository, path: file, ref }): Promise<CalledFile> => {
      const found = called.get(repository === undefined ? `./${file}` : `${repository}/${file}@${ref}`);
      const place = { repository: repository ?? origin.repository, ref: ref ?? "", sha: ref ?? origin.sha };
      return Promise.resolve(
        found === undefined ? { problem: "there is no such file" } : { text: found, origin: place },
      );
    },
    defaultPermissions: options["permissions-policy"] === "LimitedRead" ? limitedDefault : openDefault,
    limits: {
      // The suite counts called levels, we count the calling one as well.
      levels: (options["max-nested-reusable-workflows-depth"] ?? 9) + 1,
      files: 50,
      jobs: options["max-job-limit"] ?? 1_000,
    },
  });
  const problems = [...parsed.problems, ...linked.problems];
  return { problems, ...(linked.value === undefined ? {} : { workflow: linked.value }) };
}

/** Expected errors without one of ours at their place. */
function missing(
  wanted: readonly { readonly Message: string }[],
  errors: readonly Problem[],
  path: string,
): string | undefined {
  const found = errors.map(formatProblem).join("; ") || "no error";
  for (const { Message: message } of wanted) {
    const place = /^(\S+) \(Line: (\d+), Col: (\d+)\): /.exec(message);
    const [, file = "", line, column] = place ?? [];
    const at = errors.some(
      (error) =>
        place === null ||
        (error.at?.line === Number(line) &&
          // Theirs, or a more exact one behind it.
          (error.at.column ?? 0) >= Number(column) &&
          (file === path ? error.at.file === path : file.endsWith(error.at.file) || error.at.file === file)),
    );
    if (!at) return `expected "${message}", found ${found}`;
  }
  return undefined;
}
