/** What the console reads, and under which keys. A notice of the server names a topic and a key: so do query keys. */
import { QueryCache, QueryClient, queryOptions } from "@tanstack/react-query";
import type {
  ApplicationDetail,
  ApplicationSummary,
  ChangeNotice,
  DeliveryView,
  PullDetail,
  PullSummary,
  EnvironmentSummary,
  PendingReview,
  ResourceDiff,
  RolloutDetail,
  RolloutSummary,
  ArtifactSummary,
  RunCoverage,
  RunDetail,
  RunFindings,
  RunReview,
  RunnerSummary,
  RunSummary,
  ScheduledWorkflow,
  SystemStatus,
  Trace,
} from "#api";
import { ApiFault, getJson, pathOf } from "./api.ts";
import { signedOut } from "./session.ts";

interface Items<T> {
  readonly items: readonly T[];
}

export const queryClient = new QueryClient({
  queryCache: new QueryCache({
    onError: (error) => {
      if (error instanceof ApiFault && error.status === 401) signedOut.set(true);
    },
  }),
  defaultOptions: {
    queries: {
      // Nothing is read again because time passed: the event stream says when.
      staleTime: Number.POSITIVE_INFINITY,
      refetchOnWindowFocus: false,
      refetchOnReconnect: false,
      networkMode: "always",
      retry: (count, error) => count < 2 && !(error instanceof ApiFault && error.status >= 400 && error.status < 500),
    },
  },
});

function listOf<T>(topic: ChangeNotice["topic"], path: string) {
  return queryOptions({
    queryKey: [topic, "list"],
    queryFn: async ({ signal }) => (await getJson<Items<T>>(path, signal)).items,
  });
}

export const deliveriesQuery = listOf<DeliveryView>("deliveries", "/deliveries?limit=50");
export const runsQuery = listOf<RunSummary>("runs", "/runs?limit=100");
/** Below the key of the list of runs: a run that begins by its schedule moves it on. */
export const schedulesQuery = queryOptions({
  queryKey: ["runs", "list", "schedules"],
  queryFn: async ({ signal }) => (await getJson<Items<ScheduledWorkflow>>("/schedules", signal)).items,
});
export const environmentsQuery = queryOptions({
  queryKey: ["runs", "list", "environments"],
  queryFn: async ({ signal }) => (await getJson<Items<EnvironmentSummary>>("/environments", signal)).items,
});
/** Nobody announces that a runner came or went. */
export const runnersQuery = queryOptions({
  queryKey: ["runs", "list", "runners"],
  queryFn: async ({ signal }) => (await getJson<Items<RunnerSummary>>("/runners", signal)).items,
  refetchInterval: 10_000,
});
export const pullsQuery = listOf<PullSummary>("pulls", "/pulls");
export const applicationsQuery = listOf<ApplicationSummary>("applications", "/applications");
export const rolloutsQuery = listOf<RolloutSummary>("rollouts", "/rollouts");

export const statusQuery = queryOptions({
  queryKey: ["status"],
  queryFn: async ({ signal }) => await getJson<SystemStatus>("/status", signal),
});

export function traceQuery(id: string) {
  return queryOptions({
    queryKey: ["deliveries", "trace", id],
    queryFn: async ({ signal }) => await getJson<Trace>(`/trace/${pathOf(id)}`, signal),
  });
}

export function runQuery(id: string) {
  return queryOptions({
    queryKey: ["runs", "one", id],
    queryFn: async ({ signal }) => await getJson<RunDetail>(`/runs/${encodeURIComponent(id)}`, signal),
  });
}

/** Below the key of the run, so that what makes the run stale makes this stale. */
export function artifactsQuery(id: string) {
  return queryOptions({
    queryKey: ["runs", "one", id, "artifacts"],
    queryFn: async ({ signal }) => {
      const { items } = await getJson<Items<ArtifactSummary>>(`/runs/${encodeURIComponent(id)}/artifacts`, signal);
      return items;
    },
  });
}

export function coverageQuery(id: string) {
  return queryOptions({
    queryKey: ["runs", "one", id, "coverage"],
    queryFn: async ({ signal }) => await getJson<RunCoverage>(`/runs/${encodeURIComponent(id)}/coverage`, signal),
  });
}

export function findingsQuery(id: string) {
  return queryOptions({
    queryKey: ["runs", "one", id, "findings"],
    queryFn: async ({ signal }) => await getJson<RunFindings>(`/runs/${encodeURIComponent(id)}/findings`, signal),
  });
}

export function pendingQuery(id: string) {
  return queryOptions({
    queryKey: ["runs", "one", id, "pending"],
    queryFn: async ({ signal }) =>
      (await getJson<Items<PendingReview>>(`/runs/${encodeURIComponent(id)}/pending`, signal)).items,
  });
}

export function reviewsQuery(id: string) {
  return queryOptions({
    queryKey: ["runs", "one", id, "reviews"],
    queryFn: async ({ signal }) =>
      (await getJson<Items<RunReview>>(`/runs/${encodeURIComponent(id)}/reviews`, signal)).items,
  });
}

export function pullQuery(repository: string, number: string) {
  return queryOptions({
    queryKey: ["pulls", "one", repository, number],
    queryFn: async ({ signal }) =>
      await getJson<PullDetail>(`/repositories/${pathOf(repository)}/pulls/${encodeURIComponent(number)}`, signal),
  });
}

export function applicationQuery(key: string) {
  return queryOptions({
    queryKey: ["applications", "one", key],
    queryFn: async ({ signal }) => await getJson<ApplicationDetail>(`/applications/${pathOf(key)}`, signal),
  });
}

export function applicationDiffQuery(key: string) {
  return queryOptions({
    queryKey: ["applications", "one", key, "diff"],
    queryFn: async ({ signal }) =>
      (await getJson<Items<ResourceDiff>>(`/applications/${pathOf(key)}/diff`, signal)).items,
  });
}

export function rolloutQuery(key: string) {
  return queryOptions({
    queryKey: ["rollouts", "one", key],
    queryFn: async ({ signal }) => await getJson<RolloutDetail>(`/rollouts/${pathOf(key)}`, signal),
  });
}
