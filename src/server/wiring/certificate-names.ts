/** What the certificate of the Kubernetes API stands for. Pure. */

export interface NameFacts {
  /** What the server listens on. */
  readonly host: string;
  readonly hostName: string;
  readonly interfaces: readonly { readonly address: string; readonly internal: boolean }[];
  /** What it was told. */
  readonly more: readonly string[];
}

/** By what clients on this machine and in its pods call a Kubernetes API. */
const always = [
  "localhost",
  "tidegate.localhost",
  "kubernetes",
  "kubernetes.default",
  "kubernetes.default.svc",
  "kubernetes.default.svc.cluster.local",
  "127.0.0.1",
  "::1",
] as const;

/** Sorted, each once: the same facts give the same certificate. */
export function certificateNames({ host, hostName, interfaces, more }: NameFacts): readonly string[] {
  const everywhere = host === "0.0.0.0" || host === "::";
  const own = everywhere
    ? interfaces.filter(({ internal }) => !internal).map(({ address }) => address.replace(/%.*$/, ""))
    : [host];
  // A name with characters that no certificate takes would spoil the others.
  const machine = /^[A-Za-z0-9.-]+$/.test(hostName) ? [hostName] : [];
  return [...new Set([...always, ...machine, ...own, ...more])].sort();
}
