import { constants } from "node:os";

/** An image's StopSignal (`SIGQUIT`, `QUIT`, `3`); SIGTERM when it has none or an unknown one. */
export function stopSignalOf(text: string | undefined): NodeJS.Signals {
  const wanted = (text ?? "").toUpperCase();
  for (const [name, number] of Object.entries(constants.signals)) {
    if (wanted === name || `SIG${wanted}` === name || wanted === String(number)) return name as NodeJS.Signals;
  }
  return "SIGTERM";
}
