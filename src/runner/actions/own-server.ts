/** What actions of ours do when a server is away: with Tidegate itself they are patient, for it comes back. */
import { createRegistryClient, type CredentialsSource, type RegistryClient } from "#images";
import type { ActionCall } from "./builtin-action.ts";

/** A restart of the control process takes a second or two; a machine that starts again, about this long. */
export const ownServerPatienceMs = 60_000;
/** A registry elsewhere that cannot be reached is more likely a wrong name. */
const otherPatienceMs = 5_000;

export function registryClientFor(call: ActionCall, credentials: CredentialsSource): RegistryClient {
  const { serverUrl, internalServerUrl } = call.parts.assignment.services;
  const own = new Set([serverUrl, internalServerUrl].map((url) => new URL(url).host));
  const patience = {
    forHostMs: (host: string) => (own.has(host) ? ownServerPatienceMs : otherPatienceMs),
    onWait: (message: string) => call.log(message),
  };
  return createRegistryClient({ clock: call.parts.clock, credentials, patience });
}
