import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import type { LocalEvent, LocalResult } from "#server";
import { LocalPrinter } from "./local-printer.ts";

type Job = Extract<LocalEvent, { kind: "job-started" }>["job"];
type Step = Extract<LocalEvent, { kind: "step-started" }>["step"];

const job = (name: string, continueOnError = false) =>
  ({ id: name, name, conclusion: "failure", continueOnError, annotations: [], summary: "" }) as unknown as Job;

function told(tell: (printer: LocalPrinter) => void): string[] {
  const lines: string[] = [];
  tell(new LocalPrinter((text) => lines.push(stripVTControlCharacters(text)), false));
  return lines;
}

test("of the runner's own steps that succeed, warnings are told and nothing else", () => {
  const step = { number: 9, name: "Complete job", status: "completed", conclusion: "success" } as unknown as Step;
  const lines = told((printer) => {
    printer.tell({ kind: "job-started", job: job("a") });
    for (const text of ["Ended 2 processes", "##[warning]Skip output 'x'"])
      printer.tell({ kind: "line", job: job("a"), step, time: "", text });
    printer.tell({ kind: "step-ended", job: job("a"), step });
  });
  deepEqual(lines, ["a │   warning: Skip output 'x'"]);
});

test("a run is not said to fail by a job that may", () => {
  const run = { workflow: { name: "CI" }, conclusion: "failure", jobs: [job("may", true), job("must")] };
  const lines = told((printer) => printer.result({ runs: [run], artifacts: [] } as unknown as LocalResult));
  deepEqual(lines, ["✗ CI failed: must"]);
});
