/**
 * The one event stream. `hello` (also after every reconnect) makes everything stale, `change` what it names. A hidden
 * tab gives its connection back after a while, since a browser has six for all tabs together; a visible one takes it
 * up again, and the `hello` brings what was missed.
 */
import type { ChangeNotice } from "#api";
import { apiBase, ApiFault, getJson } from "./api.ts";
import { Observable } from "./observable.ts";
import { queryClient } from "./queries.ts";
import { RefreshQueue } from "./refresh-queue.ts";
import { signedOut } from "./session.ts";

/** `connecting` only until the first answer: nothing is said about it. */
type Connection = "connecting" | "open" | "lost";
export const connection = new Observable<Connection>("connecting");

const hiddenForMs = 20_000;
const retryMs = { first: 500, most: 8000 };

const refreshes = new RefreshQueue(async (key) => {
  const queryKey: string[] = JSON.parse(key);
  await queryClient.invalidateQueries({ queryKey }, { cancelRefetch: false });
});

/** Starts following; ends when the page does. */
export function followChanges(): void {
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let delay = retryMs.first;

  function open(): void {
    clearTimeout(timer);
    source?.close();
    source = new EventSource(`${apiBase}/events`);
    source.addEventListener("hello", () => {
      delay = retryMs.first;
      connection.set("open");
      void queryClient.invalidateQueries();
    });
    source.addEventListener("change", (event: MessageEvent<string>) => apply(JSON.parse(event.data)));
    source.addEventListener("error", lost);
  }

  function lost(): void {
    source?.close();
    source = undefined;
    connection.set("lost");
    // The stream does not say why it failed; an ordinary request does.
    void getJson("/status").catch((error: unknown) => {
      if (error instanceof ApiFault && error.status === 401) signedOut.set(true);
    });
    timer = setTimeout(open, delay);
    delay = Math.min(delay * 2, retryMs.most);
  }

  function visibilityChanged(): void {
    clearTimeout(timer);
    if (document.visibilityState === "visible") {
      if (source === undefined) open();
      return;
    }
    timer = setTimeout(() => {
      source?.close();
      source = undefined;
    }, hiddenForMs);
  }

  document.addEventListener("visibilitychange", visibilityChanged);
  globalThis.addEventListener("online", open);
  open();
}

function apply(notice: ChangeNotice): void {
  if (notice.key === undefined) {
    refresh([notice.topic]);
    return;
  }
  refresh([notice.topic, "list"]);
  refresh([notice.topic, "one", notice.key]);
}

function refresh(queryKey: readonly string[]): void {
  refreshes.request(JSON.stringify(queryKey));
}
