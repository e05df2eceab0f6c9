/** Coverage and findings of runs. */
import { gunzipSync, gzipSync } from "node:zlib";
import {
  readSarif,
  type CodeFinding,
  type CoveredFile,
  type FindingLevel,
  type RunCoverage,
  type RunFindings,
} from "#api";
import { isObject, type Clock } from "#lib";
import { ArtifactsError } from "../errors.ts";
import type { JobGrant } from "../job-grant.ts";
import { rfc3339 } from "../store/caches.ts";
import type { ArtifactsDatabase, ReportRow } from "../store/schema.ts";
import { mergeCoverage } from "./merge-coverage.ts";

export interface ReportsOptions {
  readonly db: ArtifactsDatabase;
  readonly clock: Clock;
  readonly retentionMs: number;
}

export interface ReportName {
  /** The job as people see it; a later attempt of it replaces what an earlier one reported. */
  readonly job: string;
  readonly name: string;
}

/** Of one run: whoever reports more reports in a circle. */
const maxReports = 200;
/** A report out of its packing. */
const maxUnpackedBytes = 64 * 1024 * 1024;

type Kind = ReportRow["kind"];

export class Reports {
  readonly #options: ReportsOptions;

  constructor(options: ReportsOptions) {
    this.#options = options;
  }

  /** Answers the report's id. */
  async saveCoverage(
    grant: JobGrant,
    name: ReportName,
    flags: readonly string[],
    files: readonly CoveredFile[],
  ): Promise<number> {
    return await this.#save(grant, "coverage", name, { flags, files }, files.length);
  }

  /** Throws `artifacts/invalid` for what is no SARIF. */
  async saveFindings(grant: JobGrant, name: ReportName, sarif: unknown): Promise<{ id: number; results: number }> {
    const findings = readSarif(sarif);
    if (findings === undefined) throw new ArtifactsError("artifacts/invalid", "The report is no SARIF: it has no runs");
    const id = await this.#save(grant, "findings", name, { findings, sarif }, findings.length);
    return { id, results: findings.length };
  }

  async coverage(runId: string): Promise<RunCoverage> {
    const rows = await this.#rows(runId, "coverage");
    const reports = rows.map((row) => ({ row, ...(unpack(row) as { flags: string[]; files: CoveredFile[] }) }));
    const files = mergeCoverage(reports.map((report) => report.files));
    const sum = (key: "lines" | "covered"): number => files.reduce((total, file) => total + file[key], 0);
    return {
      lines: sum("lines"),
      covered: sum("covered"),
      files,
      uploads: reports.map(({ row, flags, files: own }) => ({ ...sourceOf(row), flags, files: own.length })),
    };
  }

  async findings(runId: string): Promise<RunFindings> {
    const rows = await this.#rows(runId, "findings");
    const items = rows.flatMap((row) => (unpack(row) as { findings: CodeFinding[] }).findings);
    return {
      items: items.toSorted((a, b) => weight[a.level] - weight[b.level]),
      uploads: rows.map((row) => ({ ...sourceOf(row), results: row.count })),
    };
  }

  /** The report as it was sent. */
  async sarif(runId: string, id: number): Promise<unknown> {
    const row = (await this.#rows(runId, "findings")).find((one) => one.id === id);
    return row === undefined ? undefined : (unpack(row) as { sarif: unknown }).sarif;
  }

  async expire(): Promise<void> {
    const before = this.#options.clock.now().epochMilliseconds - this.#options.retentionMs;
    await this.#options.db.deleteFrom("artifacts_reports").where("created_at", "<", before).execute();
  }

  async #rows(runId: string, kind: Kind): Promise<readonly ReportRow[]> {
    return await this.#options.db
      .selectFrom("artifacts_reports")
      .selectAll()
      .where("run_id", "=", runId)
      .where("kind", "=", kind)
      .orderBy("id")
      .execute();
  }

  async #save(
    { repository, runId, jobId, attempt }: JobGrant,
    kind: Kind,
    { job, name }: ReportName,
    content: object,
    count: number,
  ): Promise<number> {
    const packed = gzipSync(JSON.stringify(content));
    const created_at = this.#options.clock.now().epochMilliseconds;
    return await this.#options.db.transaction().execute(async (tx) => {
      const own = tx.deleteFrom("artifacts_reports").where("run_id", "=", runId).where("kind", "=", kind);
      await own.where("job", "=", job).where("attempt", "<", attempt).execute();
      // The same step done again, after its answer was lost.
      await own.where("job_id", "=", jobId).where("name", "=", name).where("content", "=", packed).execute();
      const { total } = await tx
        .selectFrom("artifacts_reports")
        .select((select) => select.fn.countAll<number>().as("total"))
        .where("run_id", "=", runId)
        .executeTakeFirstOrThrow();
      if (total >= maxReports) {
        throw new ArtifactsError("artifacts/too-large", `A run keeps ${maxReports} reports, and this one has as many`);
      }
      const values = {
        repository,
        run_id: runId,
        job_id: jobId,
        attempt,
        job,
        kind,
        name,
        count,
        content: packed,
        created_at,
      };
      const { insertId } = await tx.insertInto("artifacts_reports").values(values).executeTakeFirstOrThrow();
      return Number(insertId);
    });
  }
}

const weight: Readonly<Record<FindingLevel, number>> = { error: 0, warning: 1, note: 2 };

function unpack(row: ReportRow): Record<string, unknown> {
  const value = JSON.parse(
    gunzipSync(row.content, { maxOutputLength: 4 * maxUnpackedBytes }).toString("utf8"),
  ) as unknown;
  return isObject(value) ? value : {};
}

function sourceOf(row: ReportRow): { id: number; job: string; name: string; createdAt: string } {
  return { id: row.id, job: row.job, name: row.name, createdAt: rfc3339(row.created_at) };
}

/** A report as it is sent: JSON, packed by gzip, in base64. */
export function unpackReport(text: string): unknown {
  try {
    return JSON.parse(
      gunzipSync(Buffer.from(text, "base64"), { maxOutputLength: maxUnpackedBytes }).toString("utf8"),
    ) as unknown;
  } catch (error) {
    const message = `The report must be JSON of at most ${maxUnpackedBytes} bytes, packed by gzip, in base64`;
    throw new ArtifactsError("artifacts/invalid", message, { cause: error });
  }
}
