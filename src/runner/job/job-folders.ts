/** Where a job's files are. Everything is below one folder, which goes when the job is over. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

export interface JobFolders {
  /** GITHUB_WORKSPACE. */
  readonly workspace: string;
  /** The workspace is somebody's working tree: nothing may be checked out into it. */
  readonly bound: boolean;
  /** RUNNER_WORKSPACE, the folder above it. */
  readonly above: string;
  /** RUNNER_TEMP. */
  readonly temp: string;
  /** HOME of programs in containers; there once a container is. */
  readonly containerHome: string;
  readonly fileCommands: string;
  readonly actions: string;
  readonly eventPath: string;
  /** RUNNER_TOOL_CACHE, shared by all jobs of the runner. */
  readonly toolCache: string;
  /** Pulled image layers, shared by all jobs of the runner. */
  readonly imageCache: string;
}

export function imageCacheIn(sharedFolder: string): string {
  return join(sharedFolder, "images");
}

/** Synchronous: the calls take less than promises for them, and a job waits for each. */
export function makeJobFolders(
  jobFolder: string,
  sharedFolder: string,
  repository: string,
  event: unknown,
  boundWorkspace?: string,
): JobFolders {
  const name = (repository.split("/").at(-1) ?? "repository").replace(/[^\w.-]/g, "_").replace(/^\.+$/, "_");
  const temp = join(jobFolder, "_temp");
  const folders: JobFolders = {
    workspace: boundWorkspace ?? join(jobFolder, name, name),
    bound: boundWorkspace !== undefined,
    above: join(jobFolder, name),
    temp,
    containerHome: join(temp, "_github_home"),
    fileCommands: join(temp, "_runner_file_commands"),
    actions: join(jobFolder, "_actions"),
    eventPath: join(temp, "_github_workflow", "event.json"),
    toolCache: join(sharedFolder, "tools"),
    imageCache: imageCacheIn(sharedFolder),
  };
  for (const folder of [folders.workspace, folders.fileCommands, dirname(folders.eventPath)]) {
    mkdirSync(folder, { recursive: true });
  }
  for (const folder of [folders.above, folders.toolCache, folders.imageCache]) {
    // Mostly there: of the job by its workspace, of the runner by an earlier job.
    if (!existsSync(folder)) mkdirSync(folder, { recursive: true });
  }
  writeFileSync(folders.eventPath, JSON.stringify(event ?? {}, undefined, 2));
  return folders;
}
