/** The answer to a push (gitprotocol-pack(5), "Report Status"): what the client prints beside each ref. Pure. */
import { bandPackets, flushPacket, packet } from "./pkt-line.ts";

export interface RefRefusal {
  readonly ref: string;
  /** Printed in parentheses after the ref; one line. */
  readonly reason: string;
}

/** A report that refuses every ref of the push: the named ones for their reasons, the others for being with them. */
export function refusalReport(refs: readonly string[], refusals: readonly RefRefusal[]): Buffer {
  const reasons = new Map(refusals.map((refusal) => [refusal.ref, oneLine(refusal.reason)]));
  const lines = refs.map((ref) => {
    const reason = reasons.get(ref) ?? "not updated: another ref of this push was refused";
    return packet(`ng ${ref} ${reason}\n`);
  });
  return Buffer.concat([packet("unpack ok\n"), ...lines, flushPacket]);
}

/** The whole response body: messages, report, flush; in side bands when the client understands them. */
export function closingBytes(sideBand: boolean, report: Uint8Array, messages: readonly string[]): Buffer {
  if (!sideBand) return Buffer.from(report);
  return Buffer.concat([messageBytes(messages), bandPackets(1, report), flushPacket]);
}

/** Most lines of messages one push shows. */
const maxMessageLines = 200;

/** Lines the client prints after "remote: ". Control characters are dropped: they would drive the user's terminal. */
export function messageBytes(messages: readonly string[]): Buffer {
  const lines = messages.flatMap((message) => message.split("\n")).map((line) => cleanLine(line));
  const shown = lines.slice(0, maxMessageLines);
  if (lines.length > shown.length) shown.push(`… and ${lines.length - shown.length} more lines`);
  return Buffer.concat(shown.map((line) => bandPackets(2, `${line}\n`)));
}

function oneLine(text: string): string {
  return cleanLine(text.replaceAll("\n", " ")).slice(0, 1000);
}

function cleanLine(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are exactly what must go
  return text.replace(/[\x00-\x08\x0b-\x1f\x7f]/g, "").slice(0, 4000);
}
