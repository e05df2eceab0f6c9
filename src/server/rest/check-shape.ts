/** Check runs as GitHub shows them: those made over REST, and the jobs of workflows. */
import type { CheckAnnotation, CheckRunView } from "#forge";
import type { JobView } from "#workflows";
import type { CommitJob } from "../wiring/commit-checks.ts";
import { apiUrl, type CommitPlace } from "./commit-shape.ts";
import { isoTime, jobLogin, loginOf, nodeId, optionalTime, userShape } from "./people.ts";

type Annotation = JobView["annotations"][number];

export function appShape(creator: string, { serverUrl }: CommitPlace) {
  const name = loginOf(creator);
  const slug = name === jobLogin ? "github-actions" : name;
  const owner = userShape(name, serverUrl);
  return {
    id: owner.id,
    slug,
    node_id: nodeId("App", owner.id),
    owner,
    name: slug === "github-actions" ? "GitHub Actions" : name,
    description: "",
    external_url: serverUrl,
    html_url: `${serverUrl}/apps/${encodeURIComponent(slug)}`,
    permissions: {},
    events: [] as string[],
  };
}

export function checkRunShape(check: CheckRunView, place: CommitPlace) {
  const url = `${apiUrl(place)}/check-runs/${check.id}`;
  return {
    id: check.id,
    name: check.name,
    node_id: nodeId("CheckRun", check.id),
    head_sha: check.sha,
    external_id: check.externalId,
    url,
    html_url: `${place.serverUrl}/${place.repository}/runs/${check.id}`,
    details_url: check.detailsUrl,
    status: check.status,
    conclusion: check.conclusion,
    started_at: isoTime(check.startedAt),
    completed_at: optionalTime(check.completedAt),
    output: {
      title: check.title,
      summary: check.summary,
      text: check.text,
      annotations_count: check.annotations,
      annotations_url: `${url}/annotations`,
    },
    check_suite: { id: check.suiteId },
    app: appShape(check.creator, place),
    pull_requests: [] as unknown[],
  };
}

/** A job, under the number it has among jobs. */
export function jobCheckShape({ run, job }: CommitJob, sha: string, suiteId: number, place: CommitPlace) {
  const url = `${apiUrl(place)}/check-runs/${job.id}`;
  const page = `${place.serverUrl}/runs/${run.id}?job=${job.id}`;
  const status = job.status === "completed" || job.status === "in_progress" ? job.status : "queued";
  return {
    id: Number(job.id),
    name: job.name,
    node_id: nodeId("CheckRun", job.id),
    head_sha: sha,
    external_id: `${run.id}-${job.id}`,
    url,
    html_url: page,
    details_url: page,
    status,
    conclusion: job.status === "completed" ? (job.conclusion ?? null) : null,
    started_at: whole(job.startedAt ?? job.queuedAt ?? run.createdAt),
    completed_at: job.completedAt === undefined ? null : whole(job.completedAt),
    output: {
      title: job.message ?? null,
      summary: job.summary === "" ? null : job.summary,
      text: null,
      annotations_count: job.annotations.length,
      annotations_url: `${url}/annotations`,
    },
    check_suite: { id: suiteId },
    app: appShape("run/0", place),
    pull_requests: [] as unknown[],
  };
}

export function jobAnnotationShape(annotation: Annotation, sha: string, place: CommitPlace): unknown {
  const path = annotation.path ?? ".github";
  const line = annotation.startLine ?? 1;
  const levels = { error: "failure", warning: "warning", notice: "notice" } as const;
  return annotationShape(
    {
      path,
      start_line: line,
      end_line: annotation.endLine ?? line,
      start_column: annotation.startColumn ?? null,
      end_column: annotation.endColumn ?? null,
      annotation_level: levels[annotation.level],
      title: annotation.title ?? "",
      message: annotation.message,
      raw_details: null,
    },
    sha,
    place,
  );
}

export function annotationShape(annotation: CheckAnnotation, sha: string, place: CommitPlace): unknown {
  return { ...annotation, blob_href: `${place.serverUrl}/${place.repository}/blob/${sha}/${annotation.path}` };
}

/** Without the milliseconds. */
export function whole(time: string): string {
  return Temporal.Instant.from(time).toString({ smallestUnit: "second" });
}
