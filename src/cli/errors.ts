import { AppError } from "#lib";

/** Something the person at the terminal can mend; its message is all they are shown. */
export class CliError extends AppError<"cli/not-running" | "cli/refused" | "cli/usage" | "cli/failed"> {}
