/**
 * What a process does to become a container: data, written to a file of the container and read by `process/main.ts`. It holds
 * no environment: that may hold secrets and comes through a pipe, or from the container's first process.
 */
export interface EnterMount {
  /** A real path of the machine. */
  readonly source: string;
  readonly target: string;
  readonly isFolder: boolean;
  readonly readOnly: boolean;
}

/** Who runs, and what it may do. The same for the container's program and for commands beside it. */
export interface EnterIdentity {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  /** Numbers of the capabilities that are left. */
  readonly capabilities: readonly number[];
  readonly noNewPrivileges: boolean;
  readonly seccomp: boolean;
}

export interface EnterPlan {
  /** The container's folder; holds `lower` (a link to the image), `upper`, `work`, and `root`, where it all comes together. */
  readonly folder: string;
  readonly hostname: string;
  readonly mounts: readonly EnterMount[];
  readonly readOnlyRoot: boolean;
  readonly workingDir: string;
  readonly identity: EnterIdentity;
  /** Files to which the process writes itself, to be limited. */
  readonly limitFiles: readonly string[];
}

/** What a plain process gives up, or is limited to, before it becomes the program. */
export interface ConfinePlan {
  readonly identity?: EnterIdentity;
  readonly limitFiles: readonly string[];
}

/** File descriptor through which the environment comes, as JSON. */
export const environmentFd = 6;
/**
 * The file, in the container's folder, with the pid of the container's first process as the machine sees it and when that
 * one started: the two together are no other process', whatever it runs.
 */
export const initFile = "init";

/** Of `/proc/<pid>/stat`, proc(5), in clock ticks since the machine's start; undefined for one that ended. */
export function startTime(stat: string): string | undefined {
  // The name, in parentheses, may hold spaces and parentheses itself; the start is the 22nd field, the 20th after it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
}
export const planFile = "enter.json";
