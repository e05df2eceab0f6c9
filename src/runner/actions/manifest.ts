/** `action.yml`: text to a typed manifest, or a `StepFailure` that names the file and the line. */
import { isMap, isScalar, isSeq, LineCounter, parseDocument, type YAMLMap } from "yaml";
import { ContextNames, stepSubject, type StepDefinition } from "#workflows";
import { StepFailure } from "../errors.ts";

interface ActionInput {
  readonly name: string;
  readonly default?: string;
  readonly deprecation?: string;
}

interface Common {
  readonly name: string;
  readonly inputs: readonly ActionInput[];
}

export type ActionManifest =
  | (Common & {
      readonly kind: "javascript";
      readonly main: string;
      readonly pre?: string;
      readonly preIf: string;
      readonly post?: string;
      readonly postIf: string;
    })
  | (Common & {
      readonly kind: "docker";
      /** `docker://image`, or the path of a Dockerfile in the action's folder. */
      readonly image: string;
      readonly entrypoint?: string;
      /** Templates, as are the values of `env`; without any the step may say them. */
      readonly args: readonly string[] | undefined;
      readonly env: Readonly<Record<string, string>>;
      readonly preEntrypoint?: string;
      readonly preIf: string;
      readonly postEntrypoint?: string;
      readonly postIf: string;
    })
  | (Common & {
      readonly kind: "composite";
      readonly steps: readonly StepDefinition[];
      /** Output name to its template. */
      readonly outputs: Readonly<Record<string, string>>;
    });

const maxManifestBytes = 1024 * 1024;

export function parseActionManifest(text: string, file: string): ActionManifest {
  if (text.length > maxManifestBytes) throw new StepFailure(`Cannot read action "${file}": it is over 1 MiB`);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, merge: true });
  const [syntax] = document.errors;
  if (syntax !== undefined) {
    const { line, col } = lines.linePos(syntax.pos[0]);
    throw new StepFailure(`Cannot read action "${file}:${line}:${col}": ${syntax.message.split("\n")[0]}`);
  }
  const root = document.contents;
  const runs = isMap(root) ? root.get("runs", true) : undefined;
  if (!isMap(root) || !isMap(runs)) throw new StepFailure(`Cannot read action "${file}": it has no "runs"`);
  const using = textAt(runs, "using")?.toLowerCase() ?? "";
  const common = { name: textAt(root, "name") ?? file, inputs: readInputs(root) };
  if (using === "composite") {
    const steps = readSteps(runs, file, lines);
    return { ...common, kind: "composite", steps, outputs: readOutputs(root) };
  }
  if (/^node\d+$/.test(using)) return { ...common, ...readJavascript(runs, file) };
  if (using === "docker") return { ...common, ...readDocker(runs, file) };
  throw new StepFailure(
    `Cannot read action "${file}": runs.using is "${using}", it must be composite, docker, node20 or node24`,
  );
}

function readJavascript(
  runs: YAMLMap,
  file: string,
): Omit<Extract<ActionManifest, { kind: "javascript" }>, keyof Common> {
  const main = textAt(runs, "main");
  if (main === undefined) throw new StepFailure(`Cannot read action "${file}": it has no runs.main`);
  const pre = textAt(runs, "pre");
  const post = textAt(runs, "post");
  return {
    kind: "javascript",
    main,
    preIf: stageCondition(textAt(runs, "pre-if")),
    postIf: stageCondition(textAt(runs, "post-if")),
    ...(pre === undefined ? {} : { pre }),
    ...(post === undefined ? {} : { post }),
  };
}

function readDocker(runs: YAMLMap, file: string): Omit<Extract<ActionManifest, { kind: "docker" }>, keyof Common> {
  const image = textAt(runs, "image") ?? "";
  if (image === "") throw new StepFailure(`Cannot read action "${file}": it has no runs.image`);
  if (!image.startsWith("docker://") && (image.startsWith("/") || image.split("/").includes(".."))) {
    throw new StepFailure(`Cannot read action "${file}": runs.image "${image}" is outside the action's folder`);
  }
  const args = runs.get("args", true);
  const entrypoint = textAt(runs, "entrypoint");
  const preEntrypoint = textAt(runs, "pre-entrypoint");
  const postEntrypoint = textAt(runs, "post-entrypoint");
  return {
    kind: "docker",
    image,
    args: isSeq(args) ? args.items.map(scalarText) : undefined,
    env: record(runs, "env") ?? {},
    preIf: stageCondition(textAt(runs, "pre-if")),
    postIf: stageCondition(textAt(runs, "post-if")),
    ...(entrypoint === undefined ? {} : { entrypoint }),
    ...(preEntrypoint === undefined ? {} : { preEntrypoint }),
    ...(postEntrypoint === undefined ? {} : { postEntrypoint }),
  };
}

/** Of a step, `success()` is meant where no status is asked for; of a stage it is not. */
function stageCondition(text: string | undefined): string {
  if (text === undefined || text.trim() === "") return "always()";
  return text.includes("${{") ? text : `always() && (${text})`;
}

function readInputs(root: YAMLMap): ActionInput[] {
  const inputs = root.get("inputs", true);
  if (!isMap(inputs)) return [];
  return inputs.items.map((pair) => {
    const value = isMap(pair.value) ? pair.value : undefined;
    const given = value === undefined ? undefined : textAt(value, "default");
    const deprecation = value === undefined ? undefined : textAt(value, "deprecationMessage");
    return {
      name: String(isScalar(pair.key) ? pair.key.value : pair.key),
      ...(given === undefined ? {} : { default: given }),
      ...(deprecation === undefined ? {} : { deprecation }),
    };
  });
}

function readOutputs(root: YAMLMap): Record<string, string> {
  const outputs = root.get("outputs", true);
  if (!isMap(outputs)) return {};
  const entries = outputs.items.map((pair) => [
    String(isScalar(pair.key) ? pair.key.value : pair.key),
    (isMap(pair.value) ? textAt(pair.value, "value") : undefined) ?? "",
  ]);
  return Object.fromEntries(entries) as Record<string, string>;
}

function readSteps(runs: YAMLMap, file: string, lines: LineCounter): StepDefinition[] {
  const steps = runs.get("steps", true);
  if (!isSeq(steps)) throw new StepFailure(`Cannot read action "${file}": a composite action needs runs.steps`);
  const ids = steps.items.flatMap((item) => (isMap(item) ? (textAt(item, "id") ?? []) : []));
  const names = new ContextNames(ids);
  return steps.items.map((item) => {
    const { line, col } = lines.linePos((isMap(item) ? item.range?.[0] : 0) ?? 0);
    if (!isMap(item)) throw new StepFailure(`Cannot read action "${file}:${line}": a step must be a mapping`);
    const step = readStep(item, { file, line, column: col });
    if ((step.run === undefined) === (step.uses === undefined)) {
      throw new StepFailure(`Cannot read action "${file}:${line}:${col}": a step needs exactly one of run and uses`);
    }
    return { ...step, contextName: step.id ?? names.make(stepSubject(step.uses)) };
  });
}

const stepTexts = {
  id: "id",
  name: "name",
  uses: "uses",
  run: "run",
  shell: "shell",
  "working-directory": "workingDirectory",
  "continue-on-error": "continueOnError",
  "timeout-minutes": "timeoutMinutes",
} as const;

function readStep(item: YAMLMap, at: StepDefinition["at"]): StepDefinition {
  const texts = Object.entries(stepTexts).flatMap(([key, field]) => {
    const value = textAt(item, key);
    return value === undefined
      ? []
      : [[field, key === "continue-on-error" && /^(true|false)$/.test(value) ? value === "true" : value]];
  });
  const env = record(item, "env");
  const inputs = record(item, "with");
  return {
    ...(Object.fromEntries(texts) as Partial<StepDefinition>),
    ...(env === undefined ? {} : { env }),
    ...(inputs === undefined ? {} : { with: inputs }),
    if: textAt(item, "if") ?? "success()",
    at,
  };
}

function record(map: YAMLMap, key: string): Record<string, string> | undefined {
  const value = map.get(key, true);
  if (!isMap(value)) return undefined;
  const entries = value.items.map((pair) => [
    String(isScalar(pair.key) ? pair.key.value : pair.key),
    scalarText(pair.value),
  ]);
  return Object.fromEntries(entries) as Record<string, string>;
}

function textAt(map: YAMLMap, key: string): string | undefined {
  const value: unknown = map.get(key, true);
  return value === undefined || value === null ? undefined : scalarText(value);
}

/** Numbers and booleans as they were written: `1.10` is not `1.1`. */
function scalarText(value: unknown): string {
  if (!isScalar(value) || value.value === null || value.value === undefined) return "";
  return typeof value.value === "string" ? value.value : (value.source ?? JSON.stringify(value.value));
}
