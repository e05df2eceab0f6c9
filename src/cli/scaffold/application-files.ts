/**
 * What an application's folder still needs to be delivered: a workflow, a Dockerfile. Pure; nothing of the application's
 * own is changed, only what is missing is added.
 */
import { stringify } from "yaml";
import { errorMessage, isObject } from "#lib";
import { CliError } from "../errors.ts";
import type { Files } from "./templates.ts";

export interface ApplicationFacts {
  /** The folder, for messages. */
  readonly folder: string;
  readonly packageJson: string | undefined;
  readonly dockerfile: string | undefined;
  /** Whether these exist, by path: `.dockerignore`, `.gitignore`, `package-lock.json`, `server.js`. */
  readonly existing: ReadonlySet<string>;
  readonly hasWorkflows: boolean;
  /** The check that the workflow is to run instead of `npm test`. */
  readonly test: string | undefined;
  /** `examples/shop/.github/workflows/deliver.yml` */
  readonly workflowExample: string;
}

export interface ApplicationPlan {
  /** Path to text of what is to be written. */
  readonly files: Files;
  /** The port that the image says it listens on. */
  readonly containerPort: number;
}

interface NodePackage {
  readonly start: readonly string[] | undefined;
  readonly tested: boolean;
  readonly dependencies: boolean;
  /** Also those that only its checks need. */
  readonly anyDependencies: boolean;
}

/** @throws CliError when nothing says how the application is started */
export function planApplicationFiles(facts: ApplicationFacts): ApplicationPlan {
  const node = facts.packageJson === undefined ? undefined : readPackage(facts, facts.packageJson);
  const files = new Map<string, string>();
  const packed = facts.dockerfile === undefined ? nodeDockerfile(facts, node) : undefined;
  if (!facts.hasWorkflows) {
    files.set(".github/workflows/deliver.yml", workflowFile(facts, node, packed !== undefined));
  }
  if (packed !== undefined) {
    files.set("Dockerfile", packed);
    if (!facts.existing.has(".dockerignore")) files.set(".dockerignore", ".git\n.github\n");
    if (node?.anyDependencies === true && !facts.existing.has(".gitignore")) files.set(".gitignore", "node_modules\n");
  }
  return { files, containerPort: exposedPort(facts.dockerfile ?? packed ?? "") };
}

function readPackage(facts: ApplicationFacts, text: string): NodePackage {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new CliError("cli/failed", `Cannot read "${facts.folder}/package.json": ${errorMessage(error)}`);
  }
  const part = (name: string): Readonly<Record<string, unknown>> => {
    const value = isObject(parsed) ? parsed[name] : undefined;
    return isObject(value) ? value : {};
  };
  const scripts = part("scripts");
  const dependencies = Object.keys(part("dependencies")).length > 0;
  return {
    start: startCommand(scripts["start"], facts.existing.has("server.js")),
    tested: scripts["test"] !== undefined,
    dependencies,
    anyDependencies: dependencies || Object.keys(part("devDependencies")).length > 0,
  };
}

/** A plain `node file.js` is started without npm between it and its signals. */
function startCommand(start: unknown, hasServerFile: boolean): readonly string[] | undefined {
  if (typeof start !== "string") return hasServerFile ? ["node", "server.js"] : undefined;
  return /^node [\w./ -]+$/.test(start) ? start.split(/\s+/) : ["npm", "start"];
}

function nodeDockerfile(facts: ApplicationFacts, node: NodePackage | undefined): string {
  const start = node?.start;
  if (start === undefined) {
    const found = node === undefined ? "no package.json" : 'package.json has no "start" script';
    const message = `Cannot tell how "${facts.folder}" is started: there is no Dockerfile, and ${found}. Add one of them and run this again`;
    throw new CliError("cli/failed", message);
  }
  return [
    "# Node.js is looked up on the machine that runs this. To carry it in the image, use a base image that has it.",
    "FROM scratch",
    "WORKDIR /app",
    "COPY . ./",
    "EXPOSE 8080",
    `CMD [${start.map((word) => JSON.stringify(word)).join(", ")}]`,
    "",
  ].join("\n");
}

/** @param packed whether the image takes what the job has installed, instead of building in a container */
function workflowFile(facts: ApplicationFacts, node: NodePackage | undefined, packed: boolean): string {
  const install = facts.existing.has("package-lock.json") ? "npm ci" : "npm install";
  const check = facts.test ?? (node?.tested === true ? "npm test" : "echo 'There are no tests yet'");
  const checks = [...(node?.anyDependencies === true ? [install] : []), check];
  let text = facts.workflowExample.replace(/(?: {6}- run: .*\n)+/, () => checks.map(runStep).join(""));
  if (packed && node?.dependencies === true) {
    // What is installed goes into the image, so the image is made of this job's folder instead of the bare commit.
    text = text.replace("      - id: meta\n", (found) => runStep(`${install} --omit=dev`) + found);
    text = text.replace("          push: true\n", (found) => `          context: .\n${found}`);
  }
  return text;
}

function runStep(command: string): string {
  const step = stringify({ run: command }, { lineWidth: 0 }).trimEnd();
  return `      - ${step.replaceAll("\n", "\n        ")}\n`;
}

/** The first EXPOSE of the last stage, as far as it is a number; 8080 without. */
function exposedPort(dockerfile: string): number {
  const stage = dockerfile.slice(Math.max(0, dockerfile.search(/^\s*FROM\s(?![\s\S]*^\s*FROM\s)/im)));
  const port = Number(/^\s*EXPOSE\s+(\d+)/im.exec(stage)?.[1]);
  return port > 0 && port < 65_536 ? port : 8080;
}
