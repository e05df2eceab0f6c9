/** Check runs that clients make over REST. The jobs of workflows are check runs too; those are the workflows' own. */
import type { Clock } from "#lib";
import { invalid, notFound } from "./errors.ts";
import type { EventLog } from "./event-log.ts";
import type { RepositoryRef } from "./ports.ts";
import type { CheckRunRow, ForgeDatabase, ForgeTransaction } from "./schema.ts";

export const checkStatuses = ["queued", "in_progress", "completed", "waiting", "requested", "pending"] as const;
export const checkConclusions = [
  "action_required",
  "cancelled",
  "failure",
  "neutral",
  "success",
  "skipped",
  "stale",
  "timed_out",
] as const;
type CheckStatus = (typeof checkStatuses)[number];
type CheckConclusion = (typeof checkConclusions)[number];

export interface CheckAnnotation {
  readonly path: string;
  readonly start_line: number;
  readonly end_line: number;
  readonly start_column: number | null;
  readonly end_column: number | null;
  readonly annotation_level: "notice" | "warning" | "failure";
  readonly title: string | null;
  readonly message: string;
  readonly raw_details: string | null;
}

interface CheckOutput {
  readonly title?: string | null | undefined;
  readonly summary?: string | null | undefined;
  readonly text?: string | null | undefined;
  /** Added to those that are there; at most 50 at once. */
  readonly annotations?: readonly CheckAnnotation[] | undefined;
}

export interface CheckChange {
  readonly name?: string | undefined;
  readonly status?: CheckStatus | undefined;
  readonly conclusion?: CheckConclusion | undefined;
  readonly detailsUrl?: string | null | undefined;
  readonly externalId?: string | undefined;
  /** Milliseconds since 1970. */
  readonly startedAt?: number | undefined;
  readonly completedAt?: number | undefined;
  readonly output?: CheckOutput | undefined;
}

export interface CheckRunView {
  readonly id: number;
  readonly suiteId: number;
  readonly sha: string;
  readonly name: string;
  readonly status: CheckStatus;
  readonly conclusion: CheckConclusion | null;
  readonly externalId: string;
  readonly detailsUrl: string | null;
  readonly title: string | null;
  readonly summary: string | null;
  readonly text: string | null;
  readonly annotations: number;
  readonly creator: string;
  readonly startedAt: number;
  readonly completedAt: number | null;
}

/** Ids begin here, so that they are never those of jobs, which are check runs as well. */
export const firstCheckRunId = 1_000_000_000;
const maxTextLength = 65_535;
const maxAnnotationsAtOnce = 50;

export class Checks {
  readonly #db: ForgeDatabase;
  readonly #clock: Clock;
  readonly #events: EventLog;

  constructor(db: ForgeDatabase, clock: Clock, events: EventLog) {
    this.#db = db;
    this.#clock = clock;
    this.#events = events;
  }

  async create(
    repository: RepositoryRef,
    sha: string,
    change: CheckChange & { readonly name: string },
    creator: string,
  ): Promise<CheckRunView> {
    const nowMs = this.#clock.now().epochMilliseconds;
    const outcome = outcomeOf({ status: "queued", conclusion: null, completed_at: null }, change, nowMs);
    checkChange(change);
    const created = await this.#db.transaction().execute(async (tx) => {
      const values = {
        repository_id: repository.id,
        sha,
        name: change.name,
        ...outcome,
        external_id: change.externalId ?? "",
        details_url: change.detailsUrl ?? null,
        title: change.output?.title ?? null,
        summary: change.output?.summary ?? null,
        text: change.output?.text ?? null,
        creator,
        created_at: nowMs,
        started_at: change.startedAt ?? nowMs,
      };
      const { insertId } = await tx.insertInto("forge_check_runs").values(values).executeTakeFirstOrThrow();
      const id = Number(insertId);
      await addAnnotations(tx, id, change);
      const check = await viewOf(tx, { ...values, id }, nowMs);
      const action = check.status === "completed" ? "completed" : "created";
      await this.#events.append(tx, repository, creator, { kind: "check", action, check });
      return check;
    });
    this.#events.notify();
    return created;
  }

  async update(repository: RepositoryRef, id: number, change: CheckChange, actor: string): Promise<CheckRunView> {
    checkChange(change);
    const nowMs = this.#clock.now().epochMilliseconds;
    const updated = await this.#db.transaction().execute(async (tx) => {
      const row = await rowOf(tx, repository.id, id);
      if (row === undefined) throw notFound(`check run ${id}`);
      const values = {
        ...outcomeOf(row, change, nowMs),
        ...(change.name === undefined ? {} : { name: change.name }),
        ...(change.detailsUrl === undefined ? {} : { details_url: change.detailsUrl }),
        ...(change.externalId === undefined ? {} : { external_id: change.externalId }),
        ...(change.startedAt === undefined ? {} : { started_at: change.startedAt }),
        ...(change.output?.title === undefined ? {} : { title: change.output.title }),
        ...(change.output?.summary === undefined ? {} : { summary: change.output.summary }),
        ...(change.output?.text === undefined ? {} : { text: change.output.text }),
      };
      await tx.updateTable("forge_check_runs").set(values).where("id", "=", row.id).execute();
      await addAnnotations(tx, row.id, change);
      const check = await viewOf(tx, { ...row, ...values }, nowMs);
      if (row.status !== "completed" && check.status === "completed") {
        await this.#events.append(tx, repository, actor, { kind: "check", action: "completed", check });
      }
      return check;
    });
    this.#events.notify();
    return updated;
  }

  async get(repositoryId: string, id: number): Promise<CheckRunView | undefined> {
    return await this.#db.transaction().execute(async (tx) => {
      const row = await rowOf(tx, repositoryId, id);
      return row === undefined ? undefined : await viewOf(tx, row, row.created_at);
    });
  }

  /** Newest first; of a name the newest only unless `all`. */
  async list(repositoryId: string, sha: string, all = false): Promise<readonly CheckRunView[]> {
    return await this.#db.transaction().execute(async (tx) => {
      const rows = await tx
        .selectFrom("forge_check_runs")
        .selectAll()
        .where("repository_id", "=", repositoryId)
        .where("sha", "=", sha)
        .orderBy("id", "desc")
        .execute();
      const seen = new Set<string>();
      const wanted = all ? rows : rows.filter(({ name }) => !seen.has(name) && seen.add(name));
      const views: CheckRunView[] = [];
      for (const row of wanted) views.push(await viewOf(tx, row, row.created_at));
      return views;
    });
  }

  async annotations(repositoryId: string, id: number): Promise<readonly CheckAnnotation[]> {
    if ((await this.get(repositoryId, id)) === undefined) throw notFound(`check run ${id}`);
    const rows = await this.#db
      .selectFrom("forge_annotations")
      .select("annotation_json")
      .where("check_run_id", "=", id - firstCheckRunId)
      .orderBy("id")
      .execute();
    return rows.map((row) => JSON.parse(row.annotation_json) as CheckAnnotation);
  }

  /** The suite of a commit: one for all that is checked about it. */
  async suite(repositoryId: string, sha: string): Promise<number> {
    const nowMs = this.#clock.now().epochMilliseconds;
    return await this.#db.transaction().execute((tx) => suiteOf(tx, repositoryId, sha, nowMs));
  }

  /** The commit of a suite. */
  async suiteSha(repositoryId: string, id: number): Promise<string | undefined> {
    const row = await this.#db
      .selectFrom("forge_check_suites")
      .select("sha")
      .where("repository_id", "=", repositoryId)
      .where("id", "=", id)
      .executeTakeFirst();
    return row?.sha;
  }
}

type Outcome = Pick<CheckRunRow, "status" | "conclusion" | "completed_at">;

/** A conclusion completes a run, and one that begins anew has none. Exported for its test. */
export function outcomeOf(before: Outcome, change: CheckChange, nowMs: number): Outcome {
  if (change.conclusion !== undefined) {
    const completed = change.completedAt ?? before.completed_at ?? nowMs;
    return { status: "completed", conclusion: change.conclusion, completed_at: completed };
  }
  if (change.status === "completed" && before.conclusion === null) {
    throw invalid("CheckRun", "conclusion", "A completed check run needs a conclusion");
  }
  if (change.status === undefined || change.status === "completed") return pick(before);
  return { status: change.status, conclusion: null, completed_at: null };
}

function pick({ status, conclusion, completed_at }: Outcome): Outcome {
  return { status, conclusion, completed_at };
}

function checkChange({ name, output }: CheckChange): void {
  if (name !== undefined && (name === "" || name.length > 255)) {
    throw invalid("CheckRun", "name", "Name has 1 to 255 characters");
  }
  for (const field of ["title", "summary", "text"] as const) {
    if ((output?.[field]?.length ?? 0) > maxTextLength) {
      throw invalid("CheckRun", field, `Only ${maxTextLength} characters are allowed`);
    }
  }
  if ((output?.annotations?.length ?? 0) > maxAnnotationsAtOnce) {
    throw invalid("CheckRun", "annotations", `No more than ${maxAnnotationsAtOnce} annotations at once`);
  }
}

async function addAnnotations(tx: ForgeTransaction, checkRunId: number, { output }: CheckChange): Promise<void> {
  for (const annotation of output?.annotations ?? []) {
    const values = { check_run_id: checkRunId, annotation_json: JSON.stringify(annotation) };
    await tx.insertInto("forge_annotations").values(values).execute();
  }
}

async function rowOf(tx: ForgeTransaction, repositoryId: string, id: number): Promise<CheckRunRow | undefined> {
  return await tx
    .selectFrom("forge_check_runs")
    .selectAll()
    .where("repository_id", "=", repositoryId)
    .where("id", "=", id - firstCheckRunId)
    .executeTakeFirst();
}

async function suiteOf(tx: ForgeTransaction, repositoryId: string, sha: string, nowMs: number): Promise<number> {
  const place = { repository_id: repositoryId, sha };
  const found = await tx
    .selectFrom("forge_check_suites")
    .select("id")
    .where("repository_id", "=", repositoryId)
    .where("sha", "=", sha)
    .executeTakeFirst();
  if (found !== undefined) return found.id;
  const values = { ...place, created_at: nowMs };
  const { insertId } = await tx.insertInto("forge_check_suites").values(values).executeTakeFirstOrThrow();
  return Number(insertId);
}

async function viewOf(tx: ForgeTransaction, row: CheckRunRow, nowMs: number): Promise<CheckRunView> {
  const { count } = await tx
    .selectFrom("forge_annotations")
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .where("check_run_id", "=", row.id)
    .executeTakeFirstOrThrow();
  return {
    id: firstCheckRunId + row.id,
    suiteId: await suiteOf(tx, row.repository_id, row.sha, nowMs),
    sha: row.sha,
    name: row.name,
    status: row.status as CheckStatus,
    conclusion: row.conclusion as CheckConclusion | null,
    externalId: row.external_id,
    detailsUrl: row.details_url,
    title: row.title,
    summary: row.summary,
    text: row.text,
    annotations: count,
    creator: row.creator,
    startedAt: row.started_at,
    completedAt: row.completed_at,
  };
}
