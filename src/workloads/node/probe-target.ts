import type { IntOrString } from "#api";
import type { ContainerRecord, PodRuntimePort } from "../ports.ts";

export interface ProbeTarget {
  readonly record: ContainerRecord;
  readonly runtime: PodRuntimePort;
  readonly host: string;
  /** Where a container port, by number or name, is reached. */
  readonly port: (port: IntOrString) => number | undefined;
}

export type ProbeResult =
  /** With a warning it counts as a success, and the warning is told. */
  { readonly ok: true; readonly warning?: string } | { readonly ok: false; readonly message: string };

export interface HttpLook {
  readonly path?: string;
  readonly port: IntOrString;
  readonly host?: string;
  readonly scheme?: string;
  readonly httpHeaders?: readonly { name: string; value: string }[];
}

/** Events are small. */
const maxMessage = 1024;

export function failed(message: string): ProbeResult {
  return { ok: false, message: message.slice(0, maxMessage) };
}
