/** A real Kubernetes API with the kinds that we bring to it, for tests of controllers; emptied between tests. */
import { broughtDefinitions, builtinKinds, customResourceDefinitions } from "#api";
import { type Cluster, connectRemoteCluster, isKubeError, readKubeconfig, type RemoteCluster } from "#kube";
import { silentLog, systemClock } from "#lib";
import { type KubeApiserver, startKubeApiserver } from "./kube-apiserver.ts";

export interface RealKubernetes extends AsyncDisposable {
  readonly server: KubeApiserver;
  /** A connection of its own, as another process would have it. */
  connect(): Promise<RemoteCluster>;
  /** Deletes what tests make, so that the next one finds a fresh cluster. */
  clear(): Promise<void>;
}

const signal = AbortSignal.timeout(10 * 60_000);

export async function startRealKubernetes(): Promise<RealKubernetes> {
  const server = await startKubeApiserver({ controllers: ["garbage-collector-controller", "namespace-controller"] });
  const connect = async (): Promise<RemoteCluster> => {
    const connection = await readKubeconfig({ file: server.kubeconfig, env: {}, clock: systemClock });
    return await connectRemoteCluster({ connection, exactWeights: true, clock: systemClock, log: silentLog, signal });
  };
  const own = await connect();
  try {
    await installKinds(own);
  } catch (error) {
    await own[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    throw error;
  }
  return {
    server,
    connect,
    clear: () => clear(own),
    async [Symbol.asyncDispose]() {
      await own[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

async function installKinds(cluster: Cluster): Promise<void> {
  const definitions = broughtDefinitions(builtinKinds);
  for (const definition of definitions) await cluster.create(customResourceDefinitions, definition, { signal });
  const { resourceVersion } = await cluster.list(customResourceDefinitions, { signal });
  const open = new Set(definitions.filter(({ spec }) => !isServed(cluster, spec)).map(({ metadata }) => metadata.name));
  if (open.size === 0) return;
  for await (const event of cluster.watch(customResourceDefinitions, { resourceVersion: "0", signal })) {
    if (event.type === "BOOKMARK") continue;
    const { spec, metadata } = event.object;
    while (!isServed(cluster, spec)) await systemClock.sleep(50, signal);
    open.delete(metadata.name);
    if (open.size === 0 && resourceVersion !== "") return;
  }
}

function isServed(cluster: Cluster, spec: (typeof customResourceDefinitions.example & object)["spec"]): boolean {
  return spec.versions.every(({ name }) => cluster.resolveType(`${spec.group}/${name}`, spec.names.kind) !== undefined);
}

/** What the server keeps for itself; and namespaces, which it takes ten seconds to delete. */
const own: ReadonlySet<string> = new Set(["Namespace", "CustomResourceDefinition", "PriorityClass", "Lease", "Node"]);

async function clear(cluster: Cluster): Promise<void> {
  for (const { type } of builtinKinds) {
    if (own.has(type.kind) || type.group === "rbac.authorization.k8s.io") continue;
    const served = cluster.resolveType(type.group === "" ? type.version : `${type.group}/${type.version}`, type.kind);
    if (served === undefined) continue;
    const { items } = await cluster.list(served, { signal });
    for (const item of items) {
      const { name, namespace } = item.metadata;
      if (type.kind === "Service" && name === "kubernetes") continue;
      if (item.metadata.finalizers !== undefined) {
        const patch = { type: "merge", patch: { metadata: { finalizers: null } } } as const;
        await cluster.patch(served, item.metadata, patch, { signal }).catch(ignoreGone);
      }
      const place = namespace === undefined ? { name } : { name, namespace };
      await cluster
        .delete(served, place, { signal, propagationPolicy: "Background", gracePeriodSeconds: 0 })
        .catch(ignoreGone);
    }
  }
}

function ignoreGone(error: unknown): void {
  if (!isKubeError(error, "NotFound") && !isKubeError(error, "Conflict")) throw error;
}
