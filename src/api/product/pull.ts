/** Pull requests as people see them. */

export interface PullSummary {
  readonly repository: string;
  readonly number: number;
  readonly title: string;
  readonly author: string;
  readonly state: "open" | "closed" | "merged";
  readonly draft: boolean;
  readonly base: string;
  readonly head: string;
  /** Of a pull request out of a fork: which. */
  readonly fork?: string;
  readonly headSha: string;
  /** All checks taken together; absent while nothing has been said. */
  readonly checks?: "success" | "failure" | "pending";
  readonly labels: readonly string[];
  readonly comments: number;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface PullCheck {
  readonly name: string;
  readonly required: boolean;
  /** `expected`: required, and nothing has reported yet. */
  readonly state: "success" | "failure" | "pending" | "expected";
  readonly description: string;
  readonly url?: string;
}

export interface PullDetail extends PullSummary {
  readonly body: string;
  readonly baseSha: string;
  readonly mergedBy?: string;
  readonly mergeCommit?: string;
  /** Why it cannot be merged now; absent when it can. */
  readonly obstacle?: string;
  readonly results: readonly PullCheck[];
  readonly commits: readonly {
    readonly sha: string;
    readonly subject: string;
    readonly author: string;
    readonly at: string;
  }[];
  readonly files: readonly {
    readonly path: string;
    readonly status: string;
    readonly additions: number;
    readonly deletions: number;
    readonly patch?: string;
  }[];
  readonly conversation: readonly { readonly author: string; readonly body: string; readonly at: string }[];
}
