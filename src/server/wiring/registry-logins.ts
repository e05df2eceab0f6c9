/** Which of a pod's logins are for an image's registry: pure, after kubelet's keyring. */
import { type ImageReference, normalHost } from "#images";
import type { RegistryLogin } from "#runtime";

/** Those that fit, more particular ones first: `host/team` before `host`. A `*` stands for one label of the host. */
export function loginsFor(reference: ImageReference, logins: readonly RegistryLogin[]): RegistryLogin[] {
  const image = `/${reference.repository}`;
  return logins
    .map((login) => ({ login, ...place(login.registry) }))
    .filter(({ host, path }) => matchesHost(host, reference.host) && image.startsWith(path))
    .toSorted((a, b) => b.path.length - a.path.length)
    .map(({ login }) => login);
}

/** `https://index.docker.io/v1/` and `docker.io` are the same place; so are a host and its `/v2/`. */
function place(registry: string): { host: string; path: string } {
  const bare = registry.replace(/^https?:\/\//, "");
  const slash = bare.indexOf("/");
  const path = slash === -1 ? "" : bare.slice(slash).replace(/^\/v[12](?=\/|$)/, "");
  return { host: normalHost(slash === -1 ? bare : bare.slice(0, slash)), path: path === "/" ? "" : path };
}

function matchesHost(pattern: string, host: string): boolean {
  const [wanted, wantedPort] = splitPort(pattern);
  const [found, port] = splitPort(host);
  if (wantedPort !== port) return false;
  const labels = wanted.split(".");
  const own = found.split(".");
  return labels.length === own.length && labels.every((label, index) => matchesLabel(label, own[index] ?? ""));
}

function matchesLabel(pattern: string, label: string): boolean {
  const pieces = pattern.split("*");
  if (pieces.length === 1) return pattern === label;
  const first = pieces[0] ?? "";
  const last = pieces.at(-1) ?? "";
  if (label.length < first.length + last.length || !label.startsWith(first) || !label.endsWith(last)) return false;
  let rest = label.slice(first.length, label.length - last.length);
  for (const piece of pieces.slice(1, -1)) {
    const at = rest.indexOf(piece);
    if (at === -1) return false;
    rest = rest.slice(at + piece.length);
  }
  return true;
}

function splitPort(host: string): [string, string] {
  const match = /^(.*?)(?::(\d+))?$/.exec(host);
  return [match?.[1] ?? host, match?.[2] ?? ""];
}
