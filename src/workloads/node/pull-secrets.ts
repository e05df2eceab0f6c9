/** The logins that a pod's image pull secrets hold: pure. */
import type { Pod, Secret, ServiceAccount } from "#api";
import { isObject } from "#lib";

export interface RegistryLogin {
  readonly registry: string;
  readonly username: string;
  readonly password: string;
}

export interface PullLogins {
  readonly logins: readonly RegistryLogin[];
  /** Secrets that are named and not there; upstream warns and pulls without them. */
  readonly missing: readonly string[];
}

/** The pod's own secrets count; its service account's only where it names none, as upstream's admission has it. */
export function pullLogins(
  pod: Pod,
  account: ServiceAccount | undefined,
  secret: (name: string) => Secret | undefined,
): PullLogins {
  const own = pod.spec.imagePullSecrets ?? [];
  const references = own.length > 0 ? own : (account?.imagePullSecrets ?? []);
  const names = [...new Set(references.map(({ name }) => name).filter((name) => name !== ""))];
  const found = names.map((name) => ({ name, secret: secret(name) }));
  return {
    logins: found.flatMap((entry) => (entry.secret === undefined ? [] : loginsOf(entry.secret))),
    missing: found.filter((entry) => entry.secret === undefined).map(({ name }) => name),
  };
}

function loginsOf({ type, data = {} }: Secret): RegistryLogin[] {
  if (type === "kubernetes.io/dockerconfigjson") {
    const config = parse(data[".dockerconfigjson"]);
    return entriesOf(isObject(config) ? config["auths"] : undefined);
  }
  return type === "kubernetes.io/dockercfg" ? entriesOf(parse(data[".dockercfg"])) : [];
}

function entriesOf(auths: unknown): RegistryLogin[] {
  if (!isObject(auths)) return [];
  return Object.entries(auths).flatMap(([registry, entry]) => {
    const login = isObject(entry) ? loginOf(entry) : undefined;
    return login === undefined ? [] : [{ registry, ...login }];
  });
}

/** `auth` is `user:password` in base64; the fields count more where both are given. */
function loginOf(entry: Record<string, unknown>): { username: string; password: string } | undefined {
  const { auth, username, password } = entry;
  const text = typeof auth === "string" ? Buffer.from(auth, "base64").toString("utf8") : "";
  const colon = text.indexOf(":");
  const fromAuth =
    colon === -1 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, "") };
  if (typeof username === "string" && typeof password === "string" && username !== "") return { username, password };
  return fromAuth;
}

function parse(base64: string | undefined): unknown {
  if (base64 === undefined) return undefined;
  try {
    return JSON.parse(Buffer.from(base64, "base64").toString("utf8"));
  } catch {
    // The API server refuses such secrets; one that came in before that rule holds no login.
    return undefined;
  }
}
