/** What a deployment's statuses say of the job that deploys. Pure. */
import type { DeploymentState } from "#api";
import type { Conclusion, JobStatus } from "./job-state.ts";

/** The words that GitHub has for it; a job that was cancelled or never ran deployed nothing, by no fault of its own. */
export function deploymentState(status: JobStatus, conclusion: Conclusion | null): DeploymentState {
  if (status !== "completed") return status;
  switch (conclusion) {
    case "success":
      return "success";
    case "failure":
      return "failure";
    default:
      return "error";
  }
}
