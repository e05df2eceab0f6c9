/** Secrets and variables of workflows as people see them. */

/** UTF-8 bytes of the value of a secret or variable: GitHub's limit. */
export const maxEntryBytes = 48 * 1024;

/** A value that was set is shown to nobody but jobs. */
export interface SecretView {
  /** In upper case. */
  readonly name: string;
  readonly updatedAt: string;
}

export interface VariableView extends SecretView {
  readonly value: string;
}
