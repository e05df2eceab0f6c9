/**
 * `securityContext` of a container that is a plain process: what already holds of it, and what the process can give up by
 * itself, is honoured; what takes a file system or a user of its own is refused. Pure.
 */
import { RuntimeError } from "../errors.ts";
import type { ContainerSecurity } from "../pod-runtime.ts";
import { capabilityNumbers } from "./capability-numbers.ts";
import { defaultCapabilities, grantedCapabilities } from "../security.ts";
import type { EnterIdentity } from "./enter-plan.ts";

/** As whom this process, and so every plain container, runs. */
export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

/**
 * What the process has to give up before it becomes the program; undefined for nothing. Throws `runtime/refused` with
 * the field that cannot be honoured.
 */
export function plainIdentity(security: ContainerSecurity | undefined, server: ServerUser): EnterIdentity | undefined {
  if (security === undefined) return undefined;
  const field = refusedField(security, server);
  if (field !== undefined) {
    const message = `Cannot honour securityContext.${field}: this container is a plain process of the server's user; an image with a root file system of its own (on Linux, as root) or the docker runtime has it`;
    throw new RuntimeError("runtime/refused", message);
  }
  const { allowPrivilegeEscalation, dropCapabilities, seccomp } = security;
  const noNewPrivileges = allowPrivilegeEscalation === false;
  const filtered = seccomp === "RuntimeDefault";
  if (!noNewPrivileges && !filtered && dropCapabilities.length === 0) return undefined;
  return {
    uid: server.uid,
    gid: server.gid,
    groups: server.groups,
    capabilities: server.uid === 0 ? capabilityNumbers(grantedCapabilities(security)) : [],
    // A process without capabilities must not get any by a file that has them.
    noNewPrivileges: noNewPrivileges || dropCapabilities.length > 0,
    seccomp: filtered,
  };
}

function refusedField(security: ContainerSecurity, server: ServerUser): string | undefined {
  const { runAsUser, runAsGroup, groups, addCapabilities } = security;
  if (security.privileged) return "privileged";
  if (runAsUser !== undefined && runAsUser !== server.uid) return "runAsUser";
  if (runAsGroup !== undefined && runAsGroup !== server.gid) return "runAsGroup";
  if (security.runAsNonRoot && server.uid === 0) return "runAsNonRoot";
  if (security.readOnlyRootFilesystem) return "readOnlyRootFilesystem";
  if (groups.some((group) => group !== server.gid && !server.groups.includes(group))) return "supplementalGroups";
  // Root has the usual ones; anybody else has none.
  const had = server.uid === 0 ? defaultCapabilities : [];
  return addCapabilities.some((name) => !had.includes(name)) ? "capabilities.add" : undefined;
}
