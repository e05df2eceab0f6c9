import { RuntimeError } from "../errors.ts";
import { defaultCapabilities } from "../security.ts";

/** By number (capabilities(7), linux/capability.h): the place in this list. */
const names: readonly string[] = [
  "CHOWN",
  "DAC_OVERRIDE",
  "DAC_READ_SEARCH",
  "FOWNER",
  "FSETID",
  "KILL",
  "SETGID",
  "SETUID",
  "SETPCAP",
  "LINUX_IMMUTABLE",
  "NET_BIND_SERVICE",
  "NET_BROADCAST",
  "NET_ADMIN",
  "NET_RAW",
  "IPC_LOCK",
  "IPC_OWNER",
  "SYS_MODULE",
  "SYS_RAWIO",
  "SYS_CHROOT",
  "SYS_PTRACE",
  "SYS_PACCT",
  "SYS_ADMIN",
  "SYS_BOOT",
  "SYS_NICE",
  "SYS_RESOURCE",
  "SYS_TIME",
  "SYS_TTY_CONFIG",
  "MKNOD",
  "LEASE",
  "AUDIT_WRITE",
  "AUDIT_CONTROL",
  "SETFCAP",
  "MAC_OVERRIDE",
  "MAC_ADMIN",
  "SYSLOG",
  "WAKE_ALARM",
  "BLOCK_SUSPEND",
  "AUDIT_READ",
  "PERFMON",
  "BPF",
  "CHECKPOINT_RESTORE",
];

/**
 * What a container of the machine's own root user may be given without becoming the machine's: the default, and what
 * reaches no further than its own network, memory and processes. The rest would undo the isolation.
 */
const grantable: ReadonlySet<string> = new Set([
  ...defaultCapabilities,
  "NET_ADMIN",
  "NET_BROADCAST",
  "IPC_LOCK",
  "IPC_OWNER",
  "LEASE",
  "SYS_NICE",
  "SYS_PTRACE",
]);

/** Throws `runtime/refused` for a name that is none, and for one that is not given here. */
export function capabilityNumbers(wanted: readonly string[]): readonly number[] {
  return wanted.map((name) => {
    const number = names.indexOf(name);
    if (number >= 0 && grantable.has(name)) return number;
    const why = number < 0 ? "there is none of that name" : "it would undo the isolation; the docker runtime has it";
    throw new RuntimeError("runtime/refused", `Cannot give capability "${name}": ${why}`);
  });
}
