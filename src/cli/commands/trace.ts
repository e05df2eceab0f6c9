import type { Command } from "commander";
import type { RecordedEvent, Trace } from "#api";
import { command, type GlobalOptions, openSession } from "../command.ts";
import { paint, print, printJson } from "../output.ts";

export function traceCommand(): Command {
  return command("trace", "Walk from a commit to what serves traffic, and back", [
    "tidegate trace 1a2b3c4",
    "tidegate trace acme/shop@1a2b3c4 --json",
  ])
    .argument("<commit>", "commit (7 or more digits), owner/repo@commit, or an event id")
    .action(trace);
}

async function trace(commit: string, options: GlobalOptions): Promise<void> {
  const { client } = await openSession(options);
  const found = await client.api<Trace>(`/trace/${commit.split("/").map(encodeURIComponent).join("/")}`);
  if (options.json === true) {
    printJson(found);
    return;
  }
  const depth = depths(found.events);
  const start = found.events[0]?.at ?? "";
  for (const event of found.events) {
    const indent = "  ".repeat(depth.get(event.id) ?? 0);
    print(`${event.at.slice(11, 23)}  ${since(start, event.at).padStart(8)}  ${indent}${mark(event)} ${event.title}`);
  }
}

/** How many causes lie between an event and the first one. */
function depths(events: readonly RecordedEvent[]): Map<string, number> {
  const depth = new Map<string, number>();
  for (const event of events) {
    const causes = event.causes.map((cause) => depth.get(cause)).filter((value) => value !== undefined);
    depth.set(event.id, causes.length === 0 ? 0 : Math.min(Math.max(...causes) + 1, 8));
  }
  return depth;
}

function since(start: string, at: string): string {
  const ms = Temporal.Instant.from(at).epochMilliseconds - Temporal.Instant.from(start).epochMilliseconds;
  return ms < 10_000 ? `+${ms} ms` : `+${(ms / 1000).toFixed(1)} s`;
}

function mark(event: RecordedEvent): string {
  if (event.tone === "good") return paint("✔", "green");
  return event.tone === "bad" ? paint("✖", "red") : paint("●", "blue");
}
