/**
 * The Kubernetes API against kube-apiserver with etcd: `npm run bench -- kube [rounds] [--json]`. Each round starts one
 * server with nothing in it, measures it, ends it, and then does the same with the other, so that both meet the same
 * machine. Ours is the whole of Tidegate with its controllers; theirs is the API server alone, and etcd without fsync,
 * since that is what ours promises too: what was acknowledged survives a killed process.
 *
 * Without the peer (`node scripts/peers.ts kube-apiserver etcd` builds it) ours is compared with what was recorded of it
 * in `bench/kube/recorded.json`; `--record` writes that file.
 */
import { readFile, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { table } from "../src/cli/output.ts";
import { peer, type Start, startOurs } from "./kube/contestants.ts";
import { type Figures, measure, type MeasureName, measureNames } from "./kube/measures.ts";

interface Recorded {
  readonly machine: string;
  readonly ours: Figures;
  readonly peer: Figures | null;
}

const json = process.argv.includes("--json");
const rounds = Number(process.argv.slice(2).find((word) => /^\d+$/.test(word)) ?? 3);
const recordedFile = join(import.meta.dirname, "kube", "recorded.json");
const signal = new AbortController().signal;

await compare();

async function compare(): Promise<void> {
  const startPeer = peer();
  const ours: Figures[] = [];
  const theirs: Figures[] = [];
  for (let round = 1; round <= rounds; round++) {
    say(`Round ${round} of ${rounds}: ours`);
    ours.push(await measureFresh(startOurs));
    if (startPeer === undefined) continue;
    say(`Round ${round} of ${rounds}: kube-apiserver and etcd`);
    theirs.push(await measureFresh(startPeer));
  }
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? "unknown"}`;
  const now: Recorded = { machine, ours: middle(ours), peer: theirs.length === 0 ? null : middle(theirs) };
  if (process.argv.includes("--record")) await writeFile(recordedFile, `${JSON.stringify(now, null, 2)}\n`);
  await report(now);
}

async function measureFresh(start: Start): Promise<Figures> {
  await using contestant = await start();
  return await measure(contestant, signal);
}

function middle(all: readonly Figures[]): Figures {
  return fromEach((name) => {
    const sorted = all.map((figures) => figures[name]).sort((a, b) => a - b);
    return round(sorted[Math.floor(sorted.length / 2)] ?? Number.NaN);
  });
}

function fromEach(figure: (name: MeasureName) => number): Figures {
  return Object.fromEntries(measureNames.map((name) => [name, figure(name)])) as Figures;
}

async function report(now: Recorded): Promise<void> {
  const recorded = JSON.parse(await readFile(recordedFile, "utf8")) as Recorded;
  const [against, title] =
    now.peer === null ? [recorded.ours, "recorded of ours"] : [now.peer, "kube-apiserver + etcd"];
  const ratios = fromEach((name) => {
    const ratio = name.endsWith("/s") ? now.ours[name] / against[name] : against[name] / now.ours[name];
    return round(ratio);
  });
  if (json) {
    console.log(
      JSON.stringify({ ...now, recorded, rounds, comparedWith: now.peer === null ? "recorded" : "peer", ratios }),
    );
    return;
  }
  const rows = measureNames.map((name) => [name, String(now.ours[name]), String(against[name]), `${ratios[name]}×`]);
  console.log(table(["", "ours", title, "ratio"], rows));
  console.log(`\nMedian of ${rounds} rounds on ${now.machine}. A ratio above 1 says that ours is better.`);
  if (now.peer === null)
    console.log(`Recorded on ${recorded.machine}. Build the peer: node scripts/peers.ts kube-apiserver etcd`);
}

function round(value: number): number {
  return value >= 100 ? Math.round(value) : Math.round(value * 100) / 100;
}

function say(text: string): void {
  if (!json) console.error(text);
}
