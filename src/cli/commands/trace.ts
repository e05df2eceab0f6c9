import type { Command } from "commander";
import type { DeliveryOutcome, DeliveryView, RecordedEvent, Trace } from "#api";
import { runCommand } from "#lib";
import { readConfig } from "#server";
import { command, type GlobalOptions, openSession, type Session } from "../command.ts";
import { CliError } from "../errors.ts";
import { paint, print, printJson } from "../output.ts";

interface TraceOptions extends GlobalOptions {
  readonly follow?: boolean;
}

export function traceCommand(): Command {
  return command("trace", "Walk from a commit to what serves traffic, and back", [
    "tidegate trace",
    "tidegate trace HEAD~1",
    "tidegate trace --follow        # until it is live or taken back",
    "tidegate trace acme/shop@1a2b3c4 --json",
  ])
    .argument(
      "[commit]",
      "commit (7 or more digits), owner/repo@commit, an event id, or a revision of this folder",
      "HEAD",
    )
    .option("-f, --follow", "go on until it is live; exit code 1 when it will not be")
    .action(trace);
}

async function trace(text: string, options: TraceOptions): Promise<void> {
  const session = await openSession(options);
  const commit = await commitOf(text, session.signal);
  if (options.follow === true) {
    await follow(session, commit);
    return;
  }
  const found = await session.client.api<Trace>(pathOf(commit));
  if (options.json === true) printJson(found);
  else printEvents(found, new Set());
}

function pathOf(commit: string): string {
  return `/trace/${commit.split("/").map(encodeURIComponent).join("/")}`;
}

/** What the server knows it by: `HEAD`, a branch or a tag is asked of the folder's own git. */
async function commitOf(text: string, signal: AbortSignal): Promise<string> {
  if (/^(?:[^/@]+\/[^/@]+@)?[\da-f]{7,64}$/i.test(text) || text.includes(":")) return text;
  const args = ["rev-parse", "--verify", "--quiet", `${text}^{commit}`];
  const { exitCode, stdout } = await runCommand("git", args, { env: { PATH: readConfig().hostPath }, signal });
  if (exitCode === 0) return stdout.toString("utf8").trim();
  const message = `"${text}" is no commit of this folder: give a commit (7 or more digits) or owner/repo@commit`;
  throw new CliError("cli/usage", message);
}

/** Prints what happens as it is recorded, until the release is decided. */
async function follow({ client, signal, json }: Session, commit: string): Promise<void> {
  const shown = new Set<string>();
  for await (const _change of client.changes(["deliveries"], signal)) {
    const found = await ifKnown(client.api<Trace>(pathOf(commit), { signal }));
    if (found === undefined) continue;
    if (json !== true) printEvents(found, shown);
    const { items } = await client.api<{ items: DeliveryView[] }>("/deliveries?limit=50", { signal });
    const delivery = items.find((item) => item.id === found.from);
    if (delivery === undefined || undecided.has(delivery.outcome)) continue;
    const last = await client.api<Trace>(pathOf(commit), { signal });
    if (json === true) printJson({ ...last, outcome: delivery.outcome });
    else printEvents(last, shown);
    if (delivery.outcome !== "live") process.exitCode = 1;
    return;
  }
}

const undecided: ReadonlySet<DeliveryOutcome> = new Set(["delivering", "built"]);

/** A push is acknowledged a moment before the timeline tells of it. */
async function ifKnown(answer: Promise<Trace>): Promise<Trace | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof CliError && error.message.startsWith("There is no commit")) return undefined;
    throw error;
  }
}

function printEvents({ events }: Trace, shown: Set<string>): void {
  const depth = depths(events);
  const start = events[0]?.at ?? "";
  for (const event of events.filter(({ id }) => !shown.has(id))) {
    shown.add(event.id);
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
