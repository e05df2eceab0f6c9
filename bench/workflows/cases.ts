/** The workflows that are timed. */

export const stepCount = 20;

export type CaseName = "1 job × 20 steps" | "20 jobs × 1 step" | "100-job matrix" | "200 MB of log";

export interface Case {
  readonly name: CaseName;
  readonly repository: string;
  readonly text: string;
  /** Runs once. */
  readonly large: boolean;
}

function steps(count: number): string {
  return Array.from({ length: count }, (_, index) => `      - run: echo ${index}\n`).join("");
}

function job(key: string, body: string): string {
  return `  ${key}:\n    runs-on: ubuntu-latest\n${body}`;
}

const numbers = Array.from({ length: 100 }, (_, index) => index).join(", ");
const jobs = Array.from({ length: 20 }, (_, index) => job(`job${index}`, `    steps:\n${steps(1)}`));

/** Lines of a hundred bytes. */
const lines = `yes ${"0123456789".repeat(9)}012345678 | head -c 200000000`;

/** By hand, too: that is timed without the push. */
const on = "on: [push, workflow_dispatch]\n";

export const cases: readonly Case[] = [
  {
    name: "1 job × 20 steps",
    repository: "steps",
    text: `${on}jobs:\n${job("only", `    steps:\n${steps(stepCount)}`)}`,
    large: false,
  },
  { name: "20 jobs × 1 step", repository: "jobs", text: `${on}jobs:\n${jobs.join("")}`, large: false },
  {
    name: "100-job matrix",
    repository: "matrix",
    text: `${on}jobs:\n${job("cell", `    strategy: { matrix: { n: [${numbers}] } }\n    steps:\n${steps(1)}`)}`,
    large: false,
  },
  {
    name: "200 MB of log",
    repository: "log",
    text: `${on}jobs:\n${job("talk", `    steps:\n      - run: ${lines}\n`)}`,
    large: true,
  },
];
