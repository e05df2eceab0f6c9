import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "yaml";
import { type ApplicationFacts, planApplicationFiles } from "./application-files.ts";
import { workflowExample } from "./templates.ts";

const example = await workflowExample();

function facts(
  given: Partial<Omit<ApplicationFacts, "packageJson">> & { readonly packageJson?: unknown },
): ApplicationFacts {
  const { packageJson, ...rest } = given;
  return {
    folder: "my-app",
    packageJson: packageJson === undefined ? undefined : JSON.stringify(packageJson),
    dockerfile: undefined,
    existing: new Set(),
    hasWorkflows: false,
    test: undefined,
    workflowExample: example,
    ...rest,
  };
}

interface Step {
  readonly run?: string;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

function planned(given: Parameters<typeof facts>[0]): {
  files: string[];
  port: number;
  start: string | undefined;
  checks: (string | undefined)[];
  imageRuns: string[];
  context: unknown;
} {
  const { files, containerPort } = planApplicationFiles(facts(given));
  const text = files.get(".github/workflows/deliver.yml");
  const jobs = text === undefined ? {} : (parse(text) as { jobs: Record<string, { steps: Step[] }> }).jobs;
  const steps = (job: string): Step[] => jobs[job]?.steps ?? [];
  return {
    files: [...files.keys()],
    port: containerPort,
    start: /^CMD (.*)$/m.exec(files.get("Dockerfile") ?? "")?.[1],
    checks: steps("quality")
      .filter((step) => step.run !== undefined)
      .map((step) => step.run),
    imageRuns: steps("image").flatMap((step) => (step.run === undefined ? [] : [step.run])),
    context: steps("image").find((step) => step.uses?.startsWith("docker/build-push-action"))?.with?.["context"],
  };
}

const workflow = ".github/workflows/deliver.yml";

test("a Node application without dependencies is packed from the commit and started without npm in between", () => {
  const scripts = { start: "node src/server.js", test: "node --test" };
  assert.deepEqual(planned({ packageJson: { scripts } }), {
    files: [workflow, "Dockerfile", ".dockerignore"],
    port: 8080,
    start: '["node", "src/server.js"]',
    checks: ["npm test"],
    imageRuns: [],
    context: undefined,
  });
});

test("what a Node application depends on is installed for its checks and again, without the rest, for the image", () => {
  const packageJson = { scripts: { start: "next start", test: "x" }, dependencies: { a: "1" } };
  assert.deepEqual(planned({ packageJson, existing: new Set(["package-lock.json"]) }), {
    files: [workflow, "Dockerfile", ".dockerignore", ".gitignore"],
    port: 8080,
    start: '["npm", "start"]',
    checks: ["npm ci", "npm test"],
    imageRuns: ["npm ci --omit=dev"],
    context: ".",
  });
});

test("an application with a Dockerfile keeps it, and its port is the one its last stage exposes", () => {
  const dockerfile = "FROM a AS build\nEXPOSE 1\nFROM b\nENV A=b\nexpose 8000/tcp\nCMD x\n";
  const { files, port, checks } = planned({ dockerfile });
  assert.deepEqual({ files, port }, { files: [workflow], port: 8000 });
  assert.deepEqual(checks, ["echo 'There are no tests yet'"]);
});

test("nothing that is there is written again", () => {
  const packageJson = { scripts: { start: "node a.js" } };
  const { files } = planned({ packageJson, hasWorkflows: true, existing: new Set([".dockerignore"]) });
  assert.deepEqual(files, ["Dockerfile"]);
});

const commands = ['echo "a: b" # c', "make check && $(whoami) $&", "line one\nline two"];
for (const command of commands) {
  test(`a check arrives in the workflow as it was given: ${JSON.stringify(command)}`, () => {
    const { checks } = planned({ dockerfile: "FROM scratch\n", test: command });
    assert.deepEqual(
      checks.map((check) => check?.trim()),
      [command],
    );
  });
}

const refused: readonly { name: string; given: Parameters<typeof facts>[0]; message: RegExp }[] = [
  { name: "neither package.json nor Dockerfile", given: {}, message: /no Dockerfile, and no package\.json/ },
  { name: "a package.json that starts nothing", given: { packageJson: {} }, message: /no "start" script/ },
];
for (const { name, given, message } of refused) {
  test(`${name} cannot be prepared, and the message says what to add`, () => {
    assert.throws(() => planApplicationFiles(facts(given)), { code: "cli/failed", message });
  });
}

test("a package.json that is no JSON is named", () => {
  const broken = { ...facts({}), packageJson: "{ scripts" };
  assert.throws(() => planApplicationFiles(broken), { message: /^Cannot read "my-app\/package\.json"/ });
});

test("a server.js is started as npm start would, when there is no start script", () => {
  assert.equal(planned({ packageJson: {}, existing: new Set(["server.js"]) }).start, '["node", "server.js"]');
});
