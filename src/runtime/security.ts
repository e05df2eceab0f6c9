/** Rules on who a container is that every runtime keeps: pure. Words are kubelet's. */
import { RuntimeError } from "./errors.ts";
import type { ContainerSecurity } from "./pod-runtime.ts";

/** Capabilities of a container that asks for none: what container engines give, without the making of devices. */
export const defaultCapabilities: readonly string[] = [
  "AUDIT_WRITE",
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "FSETID",
  "KILL",
  "NET_BIND_SERVICE",
  "NET_RAW",
  "SETFCAP",
  "SETGID",
  "SETPCAP",
  "SETUID",
  "SYS_CHROOT",
];

/**
 * What `drop` and `add` leave of the default: `ALL` first, then names, as engines do.
 *
 * drop ALL, add NET_BIND_SERVICE → NET_BIND_SERVICE; drop CHOWN → the default without it.
 */
export function grantedCapabilities(security: ContainerSecurity | undefined): readonly string[] {
  const { addCapabilities = [], dropCapabilities = [] } = security ?? {};
  const kept = dropCapabilities.includes("ALL") ? [] : defaultCapabilities;
  const left = kept.filter((name) => !dropCapabilities.includes(name));
  return [...new Set([...left, ...addCapabilities.filter((name) => name !== "ALL")])].toSorted();
}

/**
 * Throws where `runAsNonRoot` would not hold.
 *
 * @param imageUser USER of the image: `1000`, `1000:1000`, `node`, or nothing
 */
export function checkNonRoot(security: ContainerSecurity | undefined, imageUser: string | undefined): void {
  if (security?.runAsNonRoot !== true) return;
  const user = security.runAsUser === undefined ? (imageUser ?? "").replace(/:.*$/s, "") : String(security.runAsUser);
  if (/^\d+$/.test(user) && Number(user) !== 0) return;
  const why =
    user === "" || user === "0" || user === "root"
      ? "container has runAsNonRoot and image will run as root"
      : `container has runAsNonRoot and image has non-numeric user (${user}), cannot verify user is non-root`;
  throw new RuntimeError("runtime/refused", why);
}

export function groupsOf({ groups, fsGroup }: ContainerSecurity): readonly number[] {
  return fsGroup === undefined ? groups : [...new Set([...groups, fsGroup])];
}
