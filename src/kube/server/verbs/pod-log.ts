import type { Pod } from "#api";
import type { Problem } from "#lib";
import type { PodLogOptions } from "../../ports.ts";
import type { Answer } from "../http/answer.ts";
import { flag } from "../http/kube-request.ts";
import { badRequest, invalid } from "../refusals.ts";
import { chooseContainer } from "./choose-container.ts";
import { type ObjectCall, placeOf } from "./resource-call.ts";

/** GET `pods/<name>/log`. */
export async function readPodLog(call: ObjectCall): Promise<Answer> {
  const { query, signal } = call.request;
  const { limitBytes, ...range } = logRange(query, call.name);
  const pod = call.face.objects.get(call.kind, placeOf(call)) as unknown as Pod;
  const container = chooseContainer(pod, query.get("container") ?? "");
  // Not run anywhere yet: nothing is written, which is no error.
  if ((pod.spec.nodeName ?? "") === "") return { kind: "text", contentType: "text/plain", text: "" };
  const chunks = await call.face.logs.logs(pod, {
    container,
    follow: flag(query, "follow"),
    timestamps: flag(query, "timestamps"),
    previous: flag(query, "previous"),
    ...range,
    signal,
  });
  const limited = limitBytes === undefined ? chunks : firstBytes(chunks, limitBytes);
  return { kind: "stream", contentType: "text/plain", chunks: limited };
}

type LogRange = Pick<PodLogOptions, "tailLines" | "sinceSeconds" | "sinceTime"> & { readonly limitBytes?: number };

/** Which part of the log. Throws BadRequest for what is no number or time, Invalid for what makes no sense. */
export function logRange(query: URLSearchParams, podName: string): LogRange {
  const tailLines = integer(query, "tailLines");
  const sinceSeconds = integer(query, "sinceSeconds");
  const limitBytes = integer(query, "limitBytes");
  const sinceTime = time(query, "sinceTime");
  const problems: Problem[] = [];
  const refuse = (path: string, message: string): void => void problems.push({ path, message });
  if (tailLines !== undefined && tailLines < 0) {
    refuse("tailLines", `Invalid value: ${tailLines}: must be greater than or equal to 0`);
  }
  if (limitBytes !== undefined && limitBytes < 1) {
    refuse("limitBytes", `Invalid value: ${limitBytes}: must be greater than 0`);
  }
  if (sinceSeconds !== undefined && sinceTime !== undefined) {
    refuse("sinceTime", "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified");
  } else if (sinceSeconds !== undefined && sinceSeconds < 1) {
    refuse("sinceSeconds", `Invalid value: ${sinceSeconds}: must be greater than 0`);
  }
  if (query.has("stream")) refuse("stream", "Forbidden: may not be specified");
  if (problems.length > 0) throw invalid(podLogOptions, podName, problems);
  return {
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(sinceSeconds === undefined ? {} : { sinceSeconds }),
    ...(sinceTime === undefined ? {} : { sinceTime }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
  };
}

const podLogOptions = { group: "", version: "v1", kind: "PodLogOptions", plural: "pods" } as const;

function integer(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name) ?? "";
  if (text === "") return undefined;
  if (/^-?\d{1,15}$/.test(text)) return Number(text);
  throw badRequest(`parameter "${name}" must be a whole number: found ${JSON.stringify(text.slice(0, 100))}`);
}

function time(query: URLSearchParams, name: string): Temporal.Instant | undefined {
  const text = query.get(name) ?? "";
  if (text === "") return undefined;
  try {
    return Temporal.Instant.from(text);
  } catch {
    const message = `parameter "${name}" must be a time as RFC 3339 has it: found ${JSON.stringify(text.slice(0, 100))}`;
    throw badRequest(message);
  }
}

async function* firstBytes(chunks: AsyncIterable<Uint8Array>, limit: number): AsyncGenerator<Uint8Array> {
  let left = limit;
  for await (const chunk of chunks) {
    if (chunk.length >= left) {
      yield chunk.subarray(0, left);
      return;
    }
    left -= chunk.length;
    yield chunk;
  }
}
