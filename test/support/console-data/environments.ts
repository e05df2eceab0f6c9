/** A deployment that waits for a review, one that waits for its timer too, and where earlier ones are. */
import type { DeploymentSummary, EnvironmentSettings, EnvironmentSummary, PendingReview, RunReview } from "#api";
import { ago, shas } from "./moments.ts";

const rules: EnvironmentSettings = {
  reviewers: ["mira", "team:platform"],
  preventSelfReview: true,
  adminsBypass: true,
  waitMinutes: 30,
  branchPolicy: "selected",
  branches: ["main"],
  tags: [],
};

const deployment: DeploymentSummary = {
  id: 7,
  repository: "acme/shop",
  environment: "production",
  state: "waiting",
  ref: "refs/heads/main",
  sha: shas[0] ?? "",
  task: "deploy",
  description: "",
  creator: "noor",
  runId: "run-43",
  jobId: "job-production",
  createdAt: ago(95),
  updatedAt: ago(95),
};

const common = { repository: "acme/shop", createdAt: ago(90_000), updatedAt: ago(80_000), updatedBy: "mira" } as const;

export const environments: readonly EnvironmentSummary[] = [
  {
    ...rules,
    ...common,
    id: 1,
    name: "production",
    latest: deployment,
    active: { ...deployment, id: 5, state: "success", sha: shas[2] ?? "", runId: "run-41", updatedAt: ago(7000) },
  },
  {
    ...rules,
    ...common,
    id: 2,
    name: "staging",
    reviewers: [],
    waitMinutes: 0,
    branchPolicy: "all",
    latest: {
      ...deployment,
      id: 6,
      environment: "staging",
      state: "success",
      environmentUrl: "https://staging.shop.example.com",
      updatedAt: ago(100),
    },
  },
];

/** Of the run that waits. */
export const pending: readonly PendingReview[] = [
  {
    environment: { ...rules, id: 1, name: "production" },
    jobs: [{ id: "job-production", name: "Deploy to Production" }],
    since: ago(95),
    review: true,
    waitsUntil: ago(-1705),
    expiresAt: ago(-2_590_000),
    mayReview: true,
    mayForce: true,
  },
];

export const reviews: readonly RunReview[] = [
  {
    id: "1",
    runId: "run-43",
    attempt: 1,
    environment: "staging",
    jobs: ["Deploy to Staging"],
    state: "approved",
    actor: "mira",
    comment: "Looked at the preview, prices are right",
    forced: false,
    at: ago(120),
  },
];
