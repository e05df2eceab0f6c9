/** A repository that mirrors one of GitHub, Forgejo or Gitea. */
export interface MirrorView {
  readonly repository: string;
  readonly kind: "github" | "forgejo" | "gitea";
  readonly url: string;
  readonly apiUrl: string;
  /** Where the other side is to send its webhooks. */
  readonly webhookUrl: string;
  /** Statuses can be told back. */
  readonly hasToken: boolean;
  /** Not told yet. */
  readonly statusesWaiting: number;
  /** RFC 3339. */
  readonly fetchedAt?: string;
  /** Why the last try of something failed. */
  readonly problem?: string;
}
