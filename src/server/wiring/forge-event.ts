/** What happened to pull requests, issues, statuses, checks and releases, told to the workflows that wait for it. */
import type { Forge, ForgeEvent, PullView, RecordedEvent } from "#forge";
import type { Repositories, Repository } from "#git";
import { AppError } from "#lib";
import type { ActivityEvent, WorkflowEvent, Workflows } from "#workflows";
import { checkRunShape } from "../rest/check-shape.ts";
import { statusShape } from "../rest/commit-routes.ts";
import type { CommitPlace } from "../rest/commit-shape.ts";
import { userShape } from "../rest/people.ts";
import { pullRepositories, pullSize } from "../rest/pull-routes.ts";
import {
  commentShape,
  issueShape,
  labelShape,
  pullDetail,
  pullShape,
  reviewShape,
  type PullSize,
} from "../rest/pull-shape.ts";
import { releaseShape } from "../rest/release-shape.ts";
import { byJob } from "./push-event.ts";
import { defaultHead } from "./workflow-source.ts";

export interface ForgeEventOptions {
  readonly forge: Forge;
  readonly repositories: Repositories;
  readonly workflows: Pick<Workflows, "accept">;
  readonly serverUrl: () => string;
}

type Payload = Extract<WorkflowEvent, { name: ActivityEvent }>["payload"];

/** May be told again: the number of the record is the name of the event. */
export async function tellForgeEvent(
  options: ForgeEventOptions,
  recorded: RecordedEvent,
  signal: AbortSignal,
): Promise<void> {
  const { repositories, workflows, forge } = options;
  const repository = await repositories.named(recorded.repositoryId);
  if (repository === undefined) return;
  const { event } = recorded;
  // What workflows check out has to be there, also after a crash.
  if (event.kind === "pull") await forge.pulls.settleRefs(repository, event.pull, signal);
  for (const told of await workflowEvents(options, repository, recorded, signal)) {
    await workflows.accept(told, { signal });
  }
}

async function workflowEvents(
  options: ForgeEventOptions,
  repository: Repository,
  recorded: RecordedEvent,
  signal: AbortSignal,
): Promise<readonly WorkflowEvent[]> {
  const { event, sequence, actor } = recorded;
  const base = { repository: repository.name, actor, ...byJob(actor) };
  const place = { serverUrl: options.serverUrl(), repository: repository.name };
  if (event.kind === "pull") {
    return await pullEvents(options, repository, { ...base, sequence, event }, signal);
  }
  const head = await defaultHead(options.repositories, repository.name, signal);
  if (head === undefined) return [];
  const { name, payload } = await activityOf(options, repository, event, place, signal);
  const at = event.kind === "release" ? await tagOf(options, repository, event.release.tag, head) : head;
  return [{ id: `${name}:${sequence}`, name, ...base, ...at, payload }];
}

interface PullTold {
  readonly repository: string;
  readonly actor: string;
  readonly byJob?: true;
  readonly sequence: number;
  readonly event: Extract<ForgeEvent, { kind: "pull" }>;
}

/** `pull_request` at the merge that is tried, `pull_request_target` at the base. */
async function pullEvents(
  options: ForgeEventOptions,
  repository: Repository,
  { sequence, event, ...base }: PullTold,
  signal: AbortSignal,
): Promise<readonly WorkflowEvent[]> {
  const { pull } = event;
  const payload = await pullPayload(options, repository, event, signal);
  const branch = `refs/heads/${pull.base.ref}`;
  const newest = await (await options.repositories.reader(repository.name, signal)).resolve(branch);
  const target = { ref: branch, sha: newest ?? pull.base.sha };
  const merged = pull.mergeCommitSha === null ? undefined : { ref: branch, sha: pull.mergeCommitSha };
  const tried =
    pull.testMergeSha === null ? undefined : { ref: `refs/pull/${pull.number}/merge`, sha: pull.testMergeSha };
  // What cannot be merged cannot be tried: as on GitHub, it starts nothing but what runs at the base.
  const own = event.action === "closed" ? (merged ?? tried) : tried;
  return [
    ...(own === undefined
      ? []
      : [{ id: `pull_request:${sequence}`, name: "pull_request" as const, ...base, ...own, payload }]),
    { id: `pull_request_target:${sequence}`, name: "pull_request_target", ...base, ...target, payload },
  ];
}

async function pullPayload(
  options: ForgeEventOptions,
  repository: Repository,
  event: PullTold["event"],
  signal: AbortSignal,
): Promise<Payload> {
  const { pull, action, changes } = event;
  const place = { serverUrl: options.serverUrl(), repository: repository.name };
  return json({
    action,
    number: pull.number,
    pull_request: await pullObject(options, repository, pull, signal),
    ...(event.before === undefined ? {} : { before: event.before, after: pull.head.sha }),
    ...(event.label === undefined ? {} : { label: labelShape(event.label, place) }),
    ...(event.reviewer === undefined ? {} : { requested_reviewer: userShape(event.reviewer, place.serverUrl) }),
    ...(changes === undefined
      ? {}
      : {
          changes: {
            ...(changes.title === undefined ? {} : { title: { from: changes.title } }),
            ...(changes.body === undefined ? {} : { body: { from: changes.body } }),
            ...(changes.base === undefined ? {} : { base: { ref: { from: changes.base } } }),
          },
        }),
  });
}

async function pullObject(
  options: ForgeEventOptions,
  repository: Repository,
  pull: PullView,
  signal: AbortSignal,
): Promise<unknown> {
  const place = { serverUrl: options.serverUrl(), repository: repository.name };
  const repositories = await pullRepositories(options, repository, pull);
  const size = await sizeOf(options, repository, pull, signal);
  const shape = size === undefined ? pullShape(pull, repositories, place) : pullDetail(pull, repositories, size, place);
  const merged = { merged: pull.mergedAt !== null, mergeable: pull.state === "open" ? pull.mergeable : null };
  // Of a fork that is gone its name stays: whose code runs must not be forgotten.
  const head = shape.head.repo === null ? { ...shape.head, repo: { full_name: pull.head.repository } } : shape.head;
  return { ...shape, head, ...merged };
}

/** Undefined when commits of it are gone: what happened is told all the same. */
async function sizeOf(
  { repositories }: ForgeEventOptions,
  repository: Repository,
  pull: PullView,
  signal: AbortSignal,
): Promise<PullSize | undefined> {
  try {
    return await pullSize(await repositories.workshop(repository.name, signal), pull);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof AppError) return undefined;
    throw error;
  }
}

async function activityOf(
  options: ForgeEventOptions,
  repository: Repository,
  event: Exclude<ForgeEvent, { kind: "pull" }>,
  place: CommitPlace,
  signal: AbortSignal,
): Promise<{ readonly name: ActivityEvent; readonly payload: Payload }> {
  switch (event.kind) {
    case "issue": {
      const label = event.label === undefined ? {} : { label: labelShape(event.label, place) };
      const payload = json({ action: event.action, issue: issueShape(event.issue, place), ...label });
      return { name: "issues", payload };
    }
    case "comment": {
      const about = { issue: issueShape(event.issue, place), comment: commentShape(event.comment, place) };
      return { name: "issue_comment", payload: json({ action: event.action, ...about }) };
    }
    case "review": {
      const pull = await pullObject(options, repository, event.pull, signal);
      const review = reviewShape(event.review, event.pull.number, place);
      const payload = json({ action: event.action, pull_request: pull, review });
      return { name: "pull_request_review", payload };
    }
    case "status": {
      const { status } = event;
      const { sha, context, description, targetUrl, state } = status;
      const words = { id: status.id, sha, context, description, target_url: targetUrl, state };
      return { name: "status", payload: json({ ...words, commit: statusShape(status, place) }) };
    }
    case "check":
      return {
        name: "check_run",
        payload: json({ action: event.action, check_run: checkRunShape(event.check, place) }),
      };
    case "release":
      return { name: "release", payload: json({ action: event.action, release: releaseShape(event.release, place) }) };
  }
}

/** A release is about its tag. */
async function tagOf(
  { repositories }: ForgeEventOptions,
  repository: Repository,
  tag: string,
  head: { readonly ref: string; readonly sha: string },
): Promise<{ readonly ref: string; readonly sha: string }> {
  const ref = `refs/tags/${tag}`;
  const sha = await repositories.resolve(repository.name, ref);
  return sha === undefined ? head : { ref, sha };
}

/** As it will be read: plain data. */
function json(value: unknown): Payload {
  return JSON.parse(JSON.stringify(value)) as Payload;
}
