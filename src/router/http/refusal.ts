/** Why a message is not accepted: the status for the client and the reason in a few words. */
export interface Refusal {
  readonly status: number;
  readonly reason: string;
}
