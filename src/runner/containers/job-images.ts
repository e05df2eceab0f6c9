/** The images of a job's containers: pulled with what the job may, or built out of a Dockerfile of an action. */
import { createReadStream } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { pack, type Pack } from "tar-stream";
import { hasImage, pullImage, readProgress, type EngineClient, type EngineLogin } from "#engine";
import { normalHost, parseImageReference } from "#images";
import { errorMessage, sha256Hex } from "#lib";
import type { JobAssignment } from "#workflows";
import { StepFailure } from "../errors.ts";
import type { Job } from "../job/job.ts";

/** The login for the registry of an image: as the job logged in, or for this server's own by the job's token. */
export function loginFor(reference: string, job: Job): EngineLogin | undefined {
  const { host } = parseImageReference(reference);
  const given = job.logins.get(host) ?? job.logins.get(normalHost(host));
  if (given !== undefined) return given;
  const { assignment } = job.parts;
  if (!ownHosts(assignment).has(host)) return undefined;
  const actor = assignment.contexts.github["actor"];
  return { username: typeof actor === "string" ? actor : "job", password: assignment.secrets["GITHUB_TOKEN"] ?? "" };
}

function ownHosts({ services }: JobAssignment): ReadonlySet<string> {
  return new Set([services.serverUrl, services.internalServerUrl].map((url) => new URL(url).host));
}

/**
 * Pulls the image as the Actions runner does, each time. Where its registry cannot be reached, what the engine has under
 * the name will do; where the registry refuses the login, it will not.
 */
export async function fetchImage(
  engine: EngineClient,
  reference: string,
  login: EngineLogin | undefined,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  say(`Pull ${reference}`);
  try {
    await pullImage(engine, reference, login, signal);
  } catch (error) {
    signal.throwIfAborted();
    const why = errorMessage(error);
    const refused = /unauthorized|denied|authentication required|forbidden/i.test(why);
    if (refused || !(await hasImage(engine, reference, signal))) {
      const remedy = refused ? "give credentials that may read it" : "check its name and that its registry is reached";
      throw new StepFailure(`Cannot pull image "${reference}": ${why}; ${remedy}`, error);
    }
    say(`It cannot be pulled (${why}): the one that the engine has is used`);
  }
}

/** Builds the Dockerfile; the name of the image. Layers that an earlier build made are used again. */
export async function buildImage(
  engine: EngineClient,
  folder: string,
  dockerfile: string,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<string> {
  const name = `tidegate.local/action:${sha256Hex(`${folder.replace(/^.*\/jobs\/[^/]+\//, "")} ${dockerfile}`).slice(0, 32)}`;
  say(`Build ${dockerfile}`);
  const archive = pack();
  const packed = addFolder(archive, folder, "").then(
    () => archive.finalize(),
    (error: unknown) => archive.destroy(error as Error),
  );
  try {
    const labels = JSON.stringify({ [builtLabel]: "1" });
    const query = { t: name, dockerfile, labels, rm: 1, forcerm: 1, version: 1 };
    const stream = await engine.stream("POST", "/build", { query, archive: Readable.from(archive), signal });
    await readProgress(stream, say);
  } catch (error) {
    signal.throwIfAborted();
    throw new StepFailure(`Cannot build the action's image from "${dockerfile}": ${errorMessage(error)}`, error);
  } finally {
    await packed;
  }
  // Images that an older state of the action left without a name.
  const filters = JSON.stringify({ dangling: ["true"], label: [`${builtLabel}=1`] });
  await engine.send("POST", "/images/prune", { query: { filters }, signal }).catch(() => {});
  return name;
}

const builtLabel = "tidegate.dev/action";

/** The folder as it is, without what git keeps. */
async function addFolder(archive: Pack, root: string, folder: string): Promise<void> {
  const names = await readdir(join(root, folder));
  for (const name of names.sort()) {
    const path = folder === "" ? name : `${folder}/${name}`;
    const file = join(root, path);
    const facts = await lstat(file);
    const mode = facts.mode & 0o777;
    if (facts.isDirectory()) {
      if (path === ".git") continue;
      archive.entry({ name: path, type: "directory", mode });
      await addFolder(archive, root, path);
    } else if (facts.isSymbolicLink()) {
      archive.entry({ name: path, type: "symlink", linkname: await readlink(file), mode });
    } else if (facts.isFile()) {
      await pipeline(createReadStream(file), archive.entry({ name: path, mode, size: facts.size }));
    }
  }
}
