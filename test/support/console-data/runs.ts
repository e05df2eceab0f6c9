/** A run that goes on, one that failed, and one whose workflow file is broken. */
import type { RunDetail } from "#api";
import { ago, shas } from "./moments.ts";

const runBase = {
  repository: "acme/shop",
  workflow: "ci",
  path: ".github/workflows/ci.yml",
  event: "push",
  ref: "refs/heads/main",
  actor: "mira",
  attempt: 1,
} as const;

function steps(names: readonly string[], from: number, failing?: number) {
  return names.map((name, at) => ({
    number: at + 1,
    name,
    status: "completed" as const,
    conclusion:
      failing === undefined || at < failing
        ? ("success" as const)
        : at === failing
          ? ("failure" as const)
          : ("skipped" as const),
    startedAt: ago(from - at * 2),
    completedAt: ago(from - at * 2 - 1.7),
  }));
}

/** What an action writes, and what somebody tries who may write there. */
const summaryOfFailure = [
  "### 1 of 214 tests failed",
  "",
  "- payments › retries",
  "",
  "| suite | time |",
  "|---|--:|",
  "| **payments** | 1.2 s |",
  "",
  "<h3>Wide</h3>",
  `<table><tr><td colspan="2" style="position:fixed" onclick="steal()">${"wide ".repeat(200)}</td></tr></table>`,
  "<script>document.title = 'stolen'</script><img src=x onerror=\"document.title='stolen'\" alt=\"a shot\">",
  '<a href="javascript:steal()">do not</a> <a href="https://example.com/report">the report</a><form><input name="p"></form>',
].join("\n");

export const stepNames = ["Set up job", "Run actions/checkout@v4", "Run npm ci", "Run npm test", "Complete job"];

export const runs: RunDetail[] = [
  {
    ...runBase,
    id: "run-43",
    number: 43,
    title: "Let customers pay by invoice",
    sha: shas[0] ?? "",
    actor: "noor",
    status: "in_progress",
    held: true,
    message: 'Waits for mira or team platform to approve the deployment to "production"',
    createdAt: ago(180),
    startedAt: ago(178),
    problems: [],
    jobs: [
      {
        id: "job-staging",
        key: "deploy-staging",
        name: "Deploy to Staging",
        environment: "staging",
        environmentUrl: "https://staging.shop.example.com",
        needs: [],
        status: "completed",
        conclusion: "success",
        startedAt: ago(118),
        completedAt: ago(97),
        runner: "runner-1",
        steps: steps(stepNames, 118),
        annotations: [],
        summary: "",
      },
      {
        id: "job-production",
        key: "deploy-prod",
        name: "Deploy to Production",
        environment: "production",
        needs: ["deploy-staging"],
        status: "queued",
        held: true,
        message: 'Waits for mira or team platform to approve the deployment to "production"',
        steps: [],
        annotations: [],
        summary: "",
      },
    ],
  },
  {
    ...runBase,
    id: "run-42",
    number: 42,
    title: "Show prices with the tax of the customer's country",
    sha: shas[0] ?? "",
    status: "in_progress",
    createdAt: ago(41),
    startedAt: ago(40),
    problems: [],
    jobs: [
      {
        id: "job-lint",
        key: "lint",
        name: "lint",
        needs: [],
        status: "completed",
        conclusion: "success",
        startedAt: ago(40),
        completedAt: ago(36),
        runner: "runner-1",
        steps: steps(stepNames, 40),
        annotations: [],
        summary: "",
      },
      {
        id: "job-test-20",
        key: "test",
        name: "test (20)",
        needs: [],
        status: "completed",
        conclusion: "success",
        startedAt: ago(40),
        completedAt: ago(31),
        runner: "runner-2",
        steps: steps(stepNames, 40),
        annotations: [
          {
            level: "warning",
            message: "The option `loose` goes away in the next version",
            title: "Deprecated",
            path: "src/price.js",
            startLine: 14,
          },
        ],
        summary: "",
      },
      {
        id: "job-test-26",
        key: "test",
        name: "test (26)",
        needs: [],
        status: "in_progress",
        startedAt: ago(40),
        runner: "runner-3",
        steps: steps(stepNames.slice(0, 3), 40),
        annotations: [],
        summary: "",
      },
      {
        id: "job-image",
        key: "image",
        name: "image",
        needs: ["lint", "test"],
        status: "queued",
        steps: [],
        annotations: [],
        summary: "",
        message: "Waits for test (26)",
      },
    ],
  },
  {
    ...runBase,
    repository: "acme/billing",
    id: "run-41",
    number: 17,
    title:
      "Retry card payments that time out, at most three times with growing pauses, and tell the customer what happens meanwhile",
    sha: shas[1] ?? "",
    status: "completed",
    conclusion: "failure",
    createdAt: ago(400),
    startedAt: ago(399),
    completedAt: ago(371),
    problems: [],
    jobs: [
      {
        id: "job-big",
        key: "test",
        name: "test",
        needs: [],
        status: "completed",
        conclusion: "failure",
        startedAt: ago(399),
        completedAt: ago(371),
        runner: "runner-1",
        steps: steps(stepNames, 399, 3),
        annotations: [
          {
            level: "error",
            message: "expected 3 attempts, saw 4",
            title: "payments › retries",
            path: "test/payments.test.js",
            startLine: 88,
          },
        ],
        summary: summaryOfFailure,
      },
    ],
  },
  {
    ...runBase,
    id: "run-37",
    number: 40,
    title: "Deploy on Fridays too",
    sha: shas[1] ?? "",
    status: "completed",
    conclusion: "failure",
    createdAt: ago(7400),
    completedAt: ago(7400),
    jobs: [],
    problems: [
      {
        path: "jobs.image.needs[0]",
        message: 'There is no job "tests": use one of lint, test',
        at: { file: ".github/workflows/ci.yml", line: 31, column: 13 },
      },
      {
        path: "jobs.test.steps[2]",
        message: "A step has either `run` or `uses`: this one has both; remove one of them",
        at: { file: ".github/workflows/ci.yml", line: 24, column: 9 },
      },
    ],
  },
];
