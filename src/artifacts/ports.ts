/** What this room needs from the others, named for the need. */

/** Whether a job may still use what it was given at its start. */
export interface JobsPort {
  /** False once the job has ended; a token of it is then worth nothing. */
  isRunning(jobId: string): Promise<boolean>;
}
