/** Coverage and findings as jobs send them, with the token they have for caches and artifacts. */
import { isObject } from "#lib";
import { maxCoveredFiles, type CoveredFile } from "#api";
import type { FastifyPluginAsync, FastifyRequest } from "fastify";
import { ArtifactsError } from "../errors.ts";
import type { JobGrant } from "../job-grant.ts";
import { parseLines } from "../reports/line-ranges.ts";
import { unpackReport, type ReportName } from "../reports/reports.ts";
import type { ArtifactService } from "../service.ts";
import { grantOf, optionalText, text } from "./grants.ts";
import { sendTwirpError } from "./twirp-errors.ts";

/** What GitHub takes of a SARIF file that is packed. */
const bodyLimit = 10 * 1024 * 1024;
const maxNameLength = 300;

/** Mount at `/_apis/tidegate`. */
export function reportRoutes(service: ArtifactService): FastifyPluginAsync {
  return async (app) => {
    app.setErrorHandler(sendTwirpError);
    app.post("/coverage", { bodyLimit }, async (request) => {
      const grant = await requireGrant(service, request);
      const body = bodyOf(request);
      const report = unpackReport(text(body, "report"));
      const { flags, files } = readCoverage(report);
      return { id: await service.reports.saveCoverage(grant, nameOf(body), flags, files), files: files.length };
    });
    app.post("/findings", { bodyLimit }, async (request) => {
      const grant = await requireGrant(service, request);
      const body = bodyOf(request);
      return await service.reports.saveFindings(grant, nameOf(body), unpackReport(text(body, "report")));
    });
  };
}

async function requireGrant(service: ArtifactService, request: FastifyRequest): Promise<JobGrant> {
  const grant = await grantOf(service, request);
  if (grant !== undefined) return grant;
  throw new ArtifactsError("artifacts/forbidden", "The token is not that of a running job");
}

type Body = Readonly<Record<string, unknown>>;

function bodyOf(request: FastifyRequest): Body {
  if (isObject(request.body)) return request.body;
  throw new ArtifactsError("artifacts/invalid", "The body must be a JSON object");
}

function nameOf(body: Body): ReportName {
  return {
    job: text(body, "job").slice(0, maxNameLength),
    name: (optionalText(body, "name") ?? "").slice(0, maxNameLength),
  };
}

function readCoverage(report: unknown): { flags: readonly string[]; files: readonly CoveredFile[] } {
  if (!isObject(report) || !Array.isArray(report["files"])) {
    throw new ArtifactsError("artifacts/invalid", "A coverage report must have a list of files");
  }
  const { files, flags = [] } = report;
  if (files.length > maxCoveredFiles) {
    throw new ArtifactsError("artifacts/too-large", `A coverage report may have ${maxCoveredFiles} files`);
  }
  const names = Array.isArray(flags) ? flags.filter((flag): flag is string => typeof flag === "string") : [];
  return { flags: names.slice(0, 50), files: files.map(readFile) };
}

function readFile(value: unknown): CoveredFile {
  const { path, covered, missed } = isObject(value) ? value : {};
  const whole = typeof path === "string" && path.length > 0 && path.length <= 4096;
  if (!whole || typeof covered !== "string" || typeof missed !== "string") {
    throw new ArtifactsError("artifacts/invalid", "A file of a coverage report needs path, covered and missed");
  }
  if (parseLines(covered) === undefined || parseLines(missed) === undefined) {
    throw new ArtifactsError("artifacts/invalid", `Lines of "${path.slice(0, 200)}" must be written as 1-5,9`);
  }
  return { path, covered, missed };
}
