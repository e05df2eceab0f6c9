import { AppError } from "#lib";

/** Whoever asked for a local run can mend it; its message is all they are shown. */
export class LocalError extends AppError<"server/local-usage" | "server/local-tree"> {}
