import type { Pod } from "#api";
import type { Answer } from "../http/answer.ts";
import { flag, wholeNumber } from "../http/kube-request.ts";
import { badRequest } from "../refusals.ts";
import { type ObjectCall, placeOf } from "./resource-call.ts";

/** GET `pods/<name>/log`. */
export async function readPodLog(call: ObjectCall): Promise<Answer> {
  const pod = call.face.objects.get(call.kind, placeOf(call)) as unknown as Pod;
  const { query, signal } = call.request;
  const container = chooseContainer(pod, query.get("container") ?? "");
  const tailLines = wholeNumber(query, "tailLines");
  const sinceSeconds = wholeNumber(query, "sinceSeconds");
  const limitBytes = wholeNumber(query, "limitBytes");
  const chunks = await call.face.logs.logs(pod, {
    container,
    follow: flag(query, "follow"),
    timestamps: flag(query, "timestamps"),
    previous: flag(query, "previous"),
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(sinceSeconds === undefined ? {} : { sinceSeconds }),
    signal,
  });
  const limited = limitBytes === undefined ? chunks : firstBytes(chunks, limitBytes);
  return { kind: "stream", contentType: "text/plain", chunks: limited };
}

/** The one asked for, or the only one. Throws BadRequest when that leaves a choice. */
function chooseContainer(pod: Pod, asked: string): string {
  const { containers = [], initContainers = [] } = (pod as Partial<Pod>).spec ?? {};
  const names = [...containers, ...initContainers].map(({ name }) => name);
  if (asked !== "") {
    if (names.includes(asked)) return asked;
    throw badRequest(`container ${asked} is not valid for pod ${pod.metadata.name}`);
  }
  const [only, ...others] = containers.map(({ name }) => name);
  if (only === undefined) throw badRequest(`pod ${pod.metadata.name} has no containers`);
  if (others.length === 0) return only;
  const choice = `choose one of: [${containers.map(({ name }) => name).join(" ")}]`;
  throw badRequest(`a container name must be specified for pod ${pod.metadata.name}, ${choice}`);
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
