/** Logs of any length, with groups, colours, warnings and an error. */
import type { RunLogLine } from "#api";
import { ago } from "./moments.ts";
import { stepNames } from "./runs.ts";

/** What a test run prints, for as many lines as asked. */
export function logLines(count: number, failed: boolean): RunLogLine[] {
  const perStep = Math.ceil(count / stepNames.length);
  const lines: RunLogLine[] = [];
  for (let at = 0; at < count; at++) {
    const step = Math.floor(at / perStep) + 1;
    const line = at % perStep;
    lines.push({ step, line, time: ago(399 - at / count), text: logText(step, line, perStep, failed) });
  }
  return lines;
}

function logText(step: number, line: number, perStep: number, failed: boolean): string {
  if (line === 0) return `##[group]Run ${stepNames[step - 1]}`;
  if (line === 1) return "[command]npm test -- --color";
  if (line === 4) return "##[endgroup]";
  if (failed && step === 4 && line === perStep - 2) return "##[error]expected 3 attempts, saw 4";
  if (line % 9 === 0)
    return `\u001b[32m✓\u001b[39m checkout \u001b[2m›\u001b[22m keeps the cart \u001b[33m(${line} ms)\u001b[39m`;
  if (line % 31 === 0) return "##[warning]took longer than 50 ms";
  return `  ${line} the quick brown fox pays for ${step} jumps over the lazy dog`;
}
