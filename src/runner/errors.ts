import { AppError } from "#lib";

/** A step cannot succeed; the message is shown in its log and as an annotation. Carries no secret. */
export class StepFailure extends AppError<"runner/step-failed"> {
  constructor(message: string, cause?: unknown) {
    super("runner/step-failed", message, { cause });
  }
}

/** A step failed, and has said why itself. */
export class ToldFailure extends StepFailure {}

/** Control said that the job is not ours any more: stop, forget, report nothing. */
export class LeaseLost extends AppError<"runner/lease-lost"> {
  constructor() {
    super("runner/lease-lost", "Cannot go on with the job: control has given it up or to another runner");
  }
}

/** Control answered, and repeating the request would not help. */
export class ControlRefused extends AppError<"runner/refused", { readonly status: number; readonly said: string }> {}

/** Control knows this runner no more, or gives it nothing any more; the message is what control said. */
export class Dismissed extends AppError<"runner/dismissed"> {
  constructor(said: string) {
    super("runner/dismissed", `The runner ends, since control refuses it: ${said}`);
  }
}

/** Control did not answer, and there is no time to ask again. */
export class ControlAway extends AppError<"runner/control-away"> {
  constructor(cause: string) {
    super("runner/control-away", `Cannot reach control: ${cause}`);
  }
}

/** Why a running step is being stopped; the reason of its abort signal. */
export class StepStopped extends Error {
  override readonly name = "StepStopped";
  readonly kind: "cancelled" | "timed-out" | "abandoned";

  constructor(kind: "cancelled" | "timed-out" | "abandoned", message: string) {
    super(message);
    this.kind = kind;
  }
}
