/** Our model of a workflow and the one of the suite, brought into one form and compared. */
import type { Job, Workflow } from "../../src/workflows/index.ts";
import { textOf } from "../../src/workflows/expressions/evaluate.ts";
import { templateExpression } from "../../src/workflows/expressions/condition.ts";
import { grantedBy } from "../../src/workflows/plan/permissions.ts";

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type JsonObject = { readonly [key: string]: Json };

/** What differs first; undefined when nothing does. */
export function differences(workflow: Workflow, expected: object, shallow: boolean): string | undefined {
  const want = plain(expected as Json) as JsonObject;
  const ours = root(workflow, shallow);
  for (const key of ["concurrency", "env", "permissions", "defaults", "jobs"]) {
    const found = compare(normal(ours[key], key), normal(want[key], key), key);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The tokens of the suite as plain values. */
function plain(value: Json): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map(plain);
  if (typeof value !== "object" || value === null) return value;
  const token = value as JsonObject;
  switch (token["type"]) {
    case 0:
      return token["lit"] ?? "";
    case 1:
      return ((token["seq"] ?? []) as readonly Json[]).map(plain);
    case 2:
      return Object.fromEntries(
        ((token["map"] ?? []) as readonly JsonObject[]).map((pair) => [
          textOf(plain(pair["Key"] ?? "")),
          plain(pair["Value"] ?? null),
        ]),
      );
    case 3:
      return `\${{ ${textOf(token["expr"] ?? "")} }}`;
    case 4:
      return "${{ insert }}";
    case 5:
      return token["bool"] ?? false;
    case 6:
      return token["num"] ?? 0;
    case 7:
      return null;
    default:
      return Object.fromEntries(Object.entries(token).map(([key, inner]) => [key, plain(inner)]));
  }
}

function root(workflow: Workflow, shallow: boolean): JsonObject {
  return {
    concurrency: group(workflow.concurrency as unknown as Json),
    env: workflow.env,
    permissions: workflow.permissions === undefined ? null : workflow.permissions,
    defaults: defaults(workflow.defaults),
    jobs: workflow.jobs.map((job) => jobModel(job, workflow, undefined, shallow)),
  };
}

function jobModel(job: Job, workflow: Workflow, granted: Job["permissions"], shallow: boolean): JsonObject {
  const permissions = job.permissions ?? workflow.permissions ?? granted;
  const common = {
    id: job.key,
    name: job.name ?? job.key,
    if: `\${{ ${job.if} }}`,
    needs: job.needs,
    strategy: strategy(job),
    concurrency: group(job.concurrency as unknown as Json),
    permissions: (permissions ?? null) as Json,
  };
  const { call } = job;
  if (call !== undefined) {
    return {
      ...common,
      // The suite shows at the caller what the called workflow takes of it.
      permissions: call.workflow?.permissions ?? permissions ?? null,
      type: "reusableWorkflowJob",
      ref: call.uses,
      "input-values": call.with,
      "secret-values": call.secrets === "inherit" ? {} : call.secrets,
      "inherit-secrets": call.secrets === "inherit",
      outputs: call.workflow?.on.workflowCall?.outputs ?? {},
      jobs: shallow
        ? []
        : (call.workflow?.jobs ?? []).map((inner) => jobModel(inner, call.workflow ?? workflow, permissions, false)),
    };
  }
  return {
    ...common,
    type: "job",
    "runs-on":
      job.runsOn.group === undefined ? job.runsOn.labels : { group: job.runsOn.group, labels: job.runsOn.labels },
    "timeout-minutes": job.timeoutMinutes ?? null,
    "cancel-timeout-minutes": job.cancelTimeoutMinutes ?? null,
    "continue-on-error": job.continueOnError,
    env: job.env,
    outputs: job.outputs,
    defaults: defaults(job.defaults),
    environment: (job.environment ?? null) as unknown as Json,
    container: job.container ?? null,
    services: job.services ?? null,
    steps: job.steps.map(stepModel),
  };
}

function stepModel(step: Job["steps"][number]): JsonObject {
  const { control } = step;
  return {
    id: step.contextName ?? "",
    name: step.name ?? null,
    if: control === undefined ? `\${{ ${step.if} }}` : null,
    run: step.run ?? null,
    uses: step.uses ?? null,
    with: step.with ?? {},
    env: step.env ?? {},
    "continue-on-error": step.continueOnError ?? null,
    "timeout-minutes": step.timeoutMinutes ?? null,
    "working-directory": step.workingDirectory ?? null,
    shell: step.shell ?? null,
    background: step.background ?? null,
    wait: control?.kind === "wait" ? control.steps : null,
    "wait-all": control?.kind === "wait-all" ? true : null,
    cancel: control?.kind === "cancel" ? (control.steps[0] ?? null) : null,
  };
}

function strategy({ strategy: { failFast, maxParallel, matrix } }: Job): Json {
  return {
    "fail-fast": failFast === true ? null : failFast,
    "max-parallel": maxParallel ?? null,
    matrix: (matrix ?? null) as Json,
  };
}

function defaults({ shell, workingDirectory }: Workflow["defaults"]): Json {
  return { run: { shell: shell ?? null, "working-directory": workingDirectory ?? null } };
}

/** A group alone stands for a mapping. */
function group(value: Json | undefined): Json {
  if (value === undefined || value === null) return null;
  if (typeof value === "string") return { group: value };
  const {
    group: name = "",
    cancelInProgress,
    "cancel-in-progress": cancel = cancelInProgress ?? false,
    queue,
  } = value as JsonObject;
  return { group: name, "cancel-in-progress": cancel, queue: queue === "max" ? queue : null };
}

/** Scalars as texts, expressions in one spelling, what is empty or false left out. */
function normal(value: Json | undefined, key = ""): Json {
  if (value === undefined || value === null || value === false) return null;
  if (key === "permissions") return levels(value);
  if (key === "outputs") return normalObject(outputs(value as JsonObject));
  if (key === "fail-fast" && value === true) return null;
  if (key === "concurrency") return normalObject(group(value) as JsonObject);
  if (typeof value === "string") return value.includes("${{") ? template(value) : value.trimEnd();
  if (typeof value === "number") return textOf(value);
  if (typeof value !== "object") return String(value);
  if (Array.isArray(value)) {
    const items = (value as readonly Json[]).map((item) => normal(item));
    return key === "runs-on" && items.length === 1 ? (items[0] ?? null) : items.length === 0 ? null : items;
  }
  return normalObject(value as JsonObject);
}

function normalObject(value: JsonObject): Json {
  const ignored = new Set([
    "input-definitions",
    "secret-definitions",
    "snapshot",
    "events",
    "file-table",
    "input-types",
  ]);
  const entries = Object.entries(value)
    .filter(([key]) => !ignored.has(key))
    .map(([key, inner]): [string, Json] => [
      key,
      normal(key === "environment" && typeof inner === "string" ? { name: inner } : inner, key),
    ])
    .filter(([, inner]) => inner !== null && inner !== "");
  return entries.length === 0 ? null : Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function outputs(value: JsonObject): JsonObject {
  const entries = Object.entries(value).map(([key, one]): [string, Json] => [
    key,
    typeof one === "object" && one !== null ? ((one as JsonObject)["value"] ?? null) : one,
  ]);
  return Object.fromEntries(entries);
}

/** One spelling: an expression that is nothing but a text is that text. */
function template(value: string): string {
  try {
    const expression = templateExpression(value);
    const literal = /^'(?<text>(?:[^']|'')*)'$/.exec(expression)?.groups?.["text"];
    return literal === undefined ? `\${{ ${expression} }}` : literal.replaceAll("''", "'");
  } catch {
    return value;
  }
}

/** The suite is older than some of the areas. */
const newer = new Set([
  "artifact-metadata",
  "attestations",
  "code-quality",
  "copilot-requests",
  "drives",
  "models",
  "vulnerability-alerts",
  "id-token",
]);

function levels(value: Json): Json {
  const all = grantedBy(value as never);
  const shown = Object.entries(all).filter(([area, level]) => level !== "none" && !newer.has(area));
  return Object.fromEntries(shown.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function compare(ours: Json, want: Json, path: string): string | undefined {
  if (typeof ours === "object" && ours !== null && typeof want === "object" && want !== null) {
    const keys = new Set([...Object.keys(ours), ...Object.keys(want)]);
    for (const key of keys) {
      const found = compare((ours as JsonObject)[key] ?? null, (want as JsonObject)[key] ?? null, `${path}.${key}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  return ours === want ? undefined : `${path} is ${JSON.stringify(ours)}, not ${JSON.stringify(want)}`;
}
