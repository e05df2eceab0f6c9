import type { LocalEvent } from "#server";

/** One line of JSON for each thing that happens: names in place of whole jobs. */
export function brief(event: LocalEvent): object {
  switch (event.kind) {
    case "run-started":
    case "run-ended": {
      const { id, workflow, event: name, conclusion, problems } = event.run;
      return { kind: event.kind, run: id, workflow: workflow.path, event: name, conclusion, problems };
    }
    case "job-started":
    case "job-ended": {
      const { id, key, name, runId, conclusion, message, matrix } = event.job;
      return { kind: event.kind, run: runId, job: id, key, name, matrix, conclusion, message };
    }
    case "step-started":
    case "step-ended": {
      const { number, name, outcome, conclusion } = event.step;
      return { kind: event.kind, job: event.job.id, name: event.job.name, number, step: name, outcome, conclusion };
    }
    case "line":
      return {
        kind: "line",
        job: event.job.id,
        name: event.job.name,
        number: event.step.number,
        time: event.time,
        text: event.text,
      };
  }
}
