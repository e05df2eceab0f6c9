/** Secrets and variables of workflows: kept by scope, secrets encrypted. Knows no events, no jobs, no HTTP. */
export { openSecrets, type SecretsOptions, type SecretsRoom } from "./open-secrets.ts";
export { SecretsError, type SecretsErrorCode } from "./errors.ts";
export { keyFile } from "./key-file.ts";
export type { KeyStorePort } from "./ports.ts";
export type { Reader, Scope } from "./scope.ts";
export type { SecretEntry, Secrets } from "./secrets.ts";
export type { VariableEntry, Variables } from "./variables.ts";
