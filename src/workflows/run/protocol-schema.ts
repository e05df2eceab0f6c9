/** JSON schemas of the requests in `protocol.ts`, limits included. */
import { protocolLimits } from "../protocol.ts";

const short = { type: "string", minLength: 1, maxLength: 255 } as const;
const time = { type: "string", pattern: "^\\d{4}-\\d\\d-\\d\\dT[0-9:.]{8,30}(Z|[+-]\\d\\d:\\d\\d)$" } as const;
const lease = { type: "string", minLength: 1, maxLength: 200 } as const;
const line = { type: "integer", minimum: 0, maximum: 4_000_000_000 } as const;
const place = { type: "integer", minimum: 0, maximum: 1_000_000_000 } as const;
const conclusion = { enum: ["success", "failure", "cancelled", "skipped"] } as const;
const stepNumber = { type: "integer", minimum: 1, maximum: protocolLimits.steps } as const;

const step = {
  type: "object",
  required: ["number", "name", "status"],
  properties: {
    number: stepNumber,
    id: short,
    name: { type: "string", maxLength: 4096 },
    status: { enum: ["queued", "in_progress", "completed"] },
    outcome: conclusion,
    conclusion,
    startedAt: time,
    completedAt: time,
    logLines: line,
  },
} as const;
const steps = { type: "array", maxItems: protocolLimits.steps, items: step } as const;

const annotation = {
  type: "object",
  required: ["level", "message"],
  properties: {
    level: { enum: ["notice", "warning", "error"] },
    message: { type: "string", maxLength: protocolLimits.annotationLength },
    title: { type: "string", maxLength: 4096 },
    path: { type: "string", maxLength: 4096 },
    startLine: place,
    endLine: place,
    startColumn: place,
    endColumn: place,
    step: stepNumber,
  },
} as const;

export const claimSchema = {
  type: "object",
  required: ["runnerId", "name", "labels", "claimId"],
  properties: {
    runnerId: short,
    name: short,
    labels: { type: "array", maxItems: 100, items: short },
    group: short,
    claimId: short,
  },
} as const;

export const heartbeatSchema = {
  type: "object",
  required: ["lease"],
  properties: { lease, waitMs: { type: "integer", minimum: 0, maximum: 600_000 } },
} as const;

export const actionsSchema = {
  type: "object",
  required: ["lease", "actions"],
  properties: {
    lease,
    actions: {
      type: "array",
      maxItems: protocolLimits.actions,
      items: {
        type: "object",
        required: ["uses", "builtIn"],
        properties: { uses: { type: "string", minLength: 1, maxLength: 4096 }, builtIn: { type: "boolean" } },
      },
    },
  },
} as const;

export const archiveSchema = {
  type: "object",
  required: ["lease", "source", "repository", "sha"],
  properties: {
    lease,
    source: { enum: ["local", "remote"] },
    host: { type: "string", maxLength: 4096 },
    repository: short,
    sha: { type: "string", pattern: "^(?:[0-9a-f]{40}|[0-9a-f]{64})$" },
  },
} as const;

export const stepsSchema = {
  type: "object",
  required: ["lease", "steps", "revision"],
  properties: { lease, steps, revision: { type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER - 1 } },
} as const;

/** The lines are checked by `checkLines`: there may be a great many of them. */
const logs = {
  type: "array",
  maxItems: protocolLimits.steps,
  items: {
    type: "object",
    required: ["step", "firstLine", "lines"],
    properties: { step: stepNumber, firstLine: line, lines: { type: "array" } },
  },
} as const;

export const reportSchema = {
  type: "object",
  required: ["lease", "logs"],
  properties: {
    lease,
    steps,
    revision: { type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER - 1 },
    logs,
  },
} as const;

export const logSchema = {
  type: "object",
  required: ["lease", "step", "firstLine", "lines"],
  properties: {
    lease,
    step: stepNumber,
    firstLine: line,
    lines: {
      type: "array",
      maxItems: protocolLimits.logLines,
      items: {
        type: "object",
        required: ["time", "text"],
        properties: {
          time,
          // One line is one line on disk, too.
          text: { type: "string", maxLength: protocolLimits.logLineLength, pattern: "^[^\\n]*$" },
        },
      },
    },
  },
} as const;

export const completeSchema = {
  type: "object",
  required: ["lease", "conclusion", "outputs", "annotations", "summary", "steps"],
  properties: {
    lease,
    conclusion: { enum: ["success", "failure", "cancelled"] },
    outputs: { type: "object", maxProperties: 1_000, additionalProperties: { type: "string" } },
    annotations: { type: "array", maxItems: protocolLimits.annotations, items: annotation },
    summary: { type: "string", maxLength: protocolLimits.summaryLength },
    steps,
    environmentUrl: { type: "string", maxLength: 4096 },
    logs,
  },
} as const;

export const abandonSchema = {
  type: "object",
  required: ["lease", "reason"],
  properties: { lease, reason: { type: "string", maxLength: 4096 } },
} as const;
