import type { Clock } from "#lib";
import type { Answer } from "../http/answer.ts";
import { flag, wholeNumber } from "../http/kube-request.ts";
import { statusBody, toKubeError } from "../http/status-body.ts";
import { checkWatchOptions } from "../http/option-rules.ts";
import { watchChanges, type WatchedEvent, type WatchRequest } from "../read/watch-changes.ts";
import { type Presentation, presentBookmark, presentEvent } from "../tables/representation.ts";
import { callSelection } from "./list.ts";
import { presentationOf, type ResourceCall } from "./resource-call.ts";

/** Watches end by themselves after this long, so that clients find their way to a better server now and then. */
const defaultTimeoutSeconds = 30 * 60;

const initialEventsEnd = { "k8s.io/initial-events-end": "true" } as const;

/** GET of a collection with `watch=true`: one JSON object a line. */
export function watchObjects(call: ResourceCall): Answer {
  const how = presentationOf(call);
  const { query, signal } = call.request;
  const bookmarks = flag(query, "allowWatchBookmarks");
  const sendInitialEvents = flag(query, "sendInitialEvents");
  checkWatchOptions(query);
  const request: WatchRequest = {
    selection: callSelection(call),
    resourceVersion: query.get("resourceVersion") ?? "",
    sendInitialEvents,
    signal,
  };
  const timeoutMs = (wholeNumber(query, "timeoutSeconds") ?? defaultTimeoutSeconds) * 1000;
  return {
    kind: "stream",
    contentType:
      how.representation.format === "yaml" ? "application/yaml;stream=watch" : "application/json;stream=watch",
    chunks: watchLines(call, request, { how, bookmarks, timeoutMs }),
  };
}

interface WatchForm {
  readonly how: Presentation;
  readonly bookmarks: boolean;
  readonly timeoutMs: number;
}

async function* watchLines(call: ResourceCall, request: WatchRequest, form: WatchForm): AsyncGenerator<string> {
  const timeout = new AbortController();
  using _timer = call.face.clock.schedule(form.timeoutMs, () => timeout.abort());
  const signal = AbortSignal.any([request.signal, timeout.signal]);
  let first = true;
  try {
    // Within the stream, since a watch that is refused as too old answers 200 and says so in an ERROR event.
    for await (const event of watchChanges(call.face.objects, call.kind, { ...request, signal })) {
      if (signal.aborted) return;
      if (event.type === "BOOKMARK" && !form.bookmarks) continue;
      yield lineOf(call, event, presentNow(form.how, call.face.clock), first);
      if (event.type !== "BOOKMARK") first = false;
    }
  } catch (error) {
    yield `${JSON.stringify({ type: "ERROR", object: statusBody(toKubeError(error)) })}\n`;
  }
}

/** Ages in tables count from the event, not from the start of the watch. */
function presentNow(how: Presentation, clock: Clock): Presentation {
  return how.representation.as === "Table" ? { ...how, now: clock.now() } : how;
}

function lineOf(call: ResourceCall, event: WatchedEvent, how: Presentation, first: boolean): string {
  if (event.type === "BOOKMARK") {
    const { resourceVersion, initial } = event;
    const metadata = initial === true ? { resourceVersion, annotations: initialEventsEnd } : { resourceVersion };
    return `${JSON.stringify({ type: "BOOKMARK", object: presentBookmark(call.kind, metadata, how) })}\n`;
  }
  if (how.representation.as === undefined) {
    return `{"type":"${event.type}","object":${call.face.objects.store.textOf(event.object)}}\n`;
  }
  return `${JSON.stringify({ type: event.type, object: presentEvent(call.kind, event.object, how, first) })}\n`;
}
