/** Secrets and variables of workflows as people see them. */

/** A value that was set is shown to nobody but jobs. */
export interface SecretView {
  /** In upper case. */
  readonly name: string;
  readonly updatedAt: string;
}

export interface VariableView extends SecretView {
  readonly value: string;
}
