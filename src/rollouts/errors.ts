import { AppError } from "#lib";

/** No answer from a metric store; the message is shown in the measurement. */
export class MeasureError extends AppError<"rollouts/measure"> {
  constructor(message: string, cause?: unknown) {
    super("rollouts/measure", message, { cause });
  }
}

/** A rollout cannot go on for a reason that its plan could not see. */
export class RolloutError extends AppError<"rollouts/refused"> {
  constructor(message: string, cause?: unknown) {
    super("rollouts/refused", message, { cause });
  }
}
