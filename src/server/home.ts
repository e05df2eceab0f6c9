/** The data folder: where everything lies, and the notes by which processes of one installation find each other. */
import { chmod, mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { readFileIfExists, writeFileAtomic } from "#lib";

export interface Home {
  readonly folder: string;
  readonly relationalDatabase: string;
  readonly clusterDatabase: string;
  readonly repositories: string;
  readonly registry: string;
  readonly workflows: string;
  readonly artifacts: string;
  readonly forge: string;
  readonly mirrors: string;
  /** Commits of actions of other hosts. */
  readonly actions: string;
  /** Which actions may be used here, and where they come from. */
  readonly actionPolicy: string;
  readonly pods: string;
  readonly docker: string;
  readonly rootfs: string;
  readonly volumes: string;
  readonly imageCache: string;
  readonly routers: string;
  readonly runner: string;
  readonly logs: string;
  readonly metrics: string;
  readonly kubeconfig: string;
  readonly adminToken: string;
  readonly runnerToken: string;
  readonly keys: string;
  readonly endpoints: string;
  readonly lock: string;
}

export function homeOf(folder: string): Home {
  const at = (...parts: string[]): string => join(folder, ...parts);
  return {
    folder,
    relationalDatabase: at("tidegate.db"),
    clusterDatabase: at("cluster.db"),
    repositories: at("repos"),
    registry: at("blobs"),
    workflows: at("workflows"),
    artifacts: at("artifacts"),
    forge: at("forge"),
    mirrors: at("mirrors"),
    actions: at("actions"),
    actionPolicy: at("actions.yml"),
    pods: at("pods"),
    docker: at("docker"),
    rootfs: at("rootfs"),
    volumes: at("volumes"),
    imageCache: at("image-cache"),
    routers: at("routers"),
    runner: at("runner"),
    logs: at("logs"),
    metrics: at("metrics"),
    kubeconfig: at("kubeconfig"),
    adminToken: at("admin-token"),
    runnerToken: at("runner-token"),
    keys: at("keys"),
    endpoints: at("endpoints.json"),
    lock: at("control.lock"),
  };
}

/**
 * Only the owner may look inside: the folder holds tokens, Secrets, sources and logs; also when it was there before
 * us. Nor may `git add -A` take it along from a repository that it happens to lie in.
 */
export async function makeHome(folder: string): Promise<Home> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { mode } = await stat(folder);
  if ((mode & 0o077) !== 0) await chmod(folder, mode & 0o700);
  await writeFileAtomic(join(folder, ".gitignore"), "*\n");
  return homeOf(folder);
}

/** Where the control process listens: how the CLI finds it, and how it finds its own port again after a restart. */
export interface Endpoints {
  readonly pid: number;
  readonly host: string;
  readonly controlPort: number;
  readonly trafficPort: number;
  /** Of the Kubernetes API over TLS; what an older version left has none. */
  readonly kubePort?: number;
}

export async function readEndpoints(home: Home): Promise<Endpoints | undefined> {
  const text = await readFileIfExists(home.endpoints);
  return text === undefined ? undefined : (JSON.parse(text) as Endpoints);
}

export async function writeEndpoints(home: Home, endpoints: Endpoints): Promise<void> {
  await writeFileAtomic(home.endpoints, `${JSON.stringify(endpoints, undefined, 2)}\n`);
}
