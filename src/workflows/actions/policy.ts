/**
 * Which source of an action wins, and which actions may be used: `.tidegate/actions.yml` of a repository, `actions.yml`
 * of the installation.
 *
 *   order: [built-in, local, remote]     # what is left out is not used
 *   overrides:
 *     actions/setup-node: [remote]
 *   allow: ["actions/*", "acme/*"]       # nothing else; without it, everything
 *   deny: ["evil/*"]
 *   pins: lock                           # or commit, or none (the default)
 *   hosts:                               # the installation's only
 *     - https://github.com
 *     - { url: "https://git.example.com", token-file: /etc/tidegate/git-token }
 *   refresh-hours: 24                    # the installation's only
 */
import type { Checked } from "#lib";
import { NodeReader } from "../parse/node-reader.ts";
import { readYamlTree, type YamlNode } from "../parse/yaml-tree.ts";

export const actionPolicyPath = ".tidegate/actions.yml";

const actionSources = ["built-in", "local", "remote"] as const;
/** Our own implementation, a repository of this server, a repository of another host. */
export type ActionSource = (typeof actionSources)[number];

const pinRules = ["none", "commit", "lock"] as const;
/**
 * What a reference to another repository's code must be: anything, a whole commit, or a commit or an entry of the lock.
 * Each allows less than the one before; `commit` the least.
 */
export type PinRule = "none" | "lock" | "commit";

export interface ActionHost {
  /** `https://github.com`; repositories are `<url>/<owner>/<repo>`. */
  readonly url: string;
  /** A file with a token for private repositories, read when it is needed. */
  readonly tokenFile?: string;
}

/** One file as it is written; what it does not say is undefined. */
export interface ActionPolicy {
  /** Path that messages name it by. */
  readonly file: string;
  readonly order?: readonly ActionSource[];
  /** The first that fits counts. */
  readonly overrides: readonly { readonly pattern: string; readonly order: readonly ActionSource[] }[];
  readonly allow?: readonly string[];
  readonly deny: readonly string[];
  readonly pins: PinRule;
  readonly hosts?: readonly ActionHost[];
  /** A branch or tag of another host is asked for again when it was last this many hours ago; undefined: never. */
  readonly refreshHours?: number;
}

/**
 * Built-ins first: they need no network and no trust in others. Then what is here, then other hosts.
 */
export const defaultOrder: readonly ActionSource[] = ["built-in", "local", "remote"];

export const defaultHosts: readonly ActionHost[] = [{ url: "https://github.com" }];

export function emptyPolicy(file: string): ActionPolicy {
  return { file, overrides: [], deny: [], pins: "none" };
}

const repositoryKeys = ["order", "overrides", "allow", "deny", "pins"] as const;
const installationKeys = [...repositoryKeys, "hosts", "refresh-hours"] as const;

/** The value is there exactly when there are no problems: a policy that is half read would allow too much. */
export function readActionPolicy(
  file: string,
  text: string,
  whose: "repository" | "installation",
): Checked<ActionPolicy> {
  const tree = readYamlTree(file, text);
  if (tree.value === undefined) return { problems: tree.problems };
  const root = tree.value;
  const reader = new NodeReader(file);
  if (root.kind !== "mapping") {
    if (root.kind === "scalar" && root.value === null) return { value: emptyPolicy(file), problems: [] };
    reader.error(root, "Not a policy. Write order:, allow:, deny: and pins:");
    return { problems: reader.problems };
  }
  const known: readonly string[] = whose === "repository" ? repositoryKeys : installationKeys;
  for (const { key } of root.pairs) {
    if (known.includes(key.value)) continue;
    const ours = (installationKeys as readonly string[]).includes(key.value);
    const remedy = ours ? "Only actions.yml of the installation may say it" : `Use ${known.join(", ")}`;
    reader.error(key, `Unknown key. ${remedy}`, key.value);
  }
  const order = readOrder(reader, reader.get(root, "order"), "order");
  const allow = readPatterns(reader, reader.get(root, "allow"), "allow");
  const hosts = readHosts(reader, reader.get(root, "hosts"));
  const refreshHours = readHours(reader, reader.get(root, "refresh-hours"));
  const value: ActionPolicy = {
    file,
    overrides: reader.pairs(reader.get(root, "overrides")).map((pair) => {
      const path = `overrides.${pair.key.value}`;
      checkPattern(reader, pair.key, path);
      return { pattern: pair.key.value, order: readOrder(reader, pair.value, path) ?? [] };
    }),
    deny: readPatterns(reader, reader.get(root, "deny"), "deny") ?? [],
    pins: readPins(reader, reader.get(root, "pins")),
    ...(order === undefined ? {} : { order }),
    ...(allow === undefined ? {} : { allow }),
    ...(hosts === undefined ? {} : { hosts }),
    ...(refreshHours === undefined ? {} : { refreshHours }),
  };
  return reader.problems.length > 0 ? { problems: reader.problems } : { value, problems: [] };
}

function readOrder(reader: NodeReader, node: YamlNode | undefined, path: string): ActionSource[] | undefined {
  if (node === undefined) return undefined;
  const texts = node.kind === "mapping" ? [] : (reader.texts(node) ?? []);
  const order = texts.filter((text): text is ActionSource => (actionSources as readonly string[]).includes(text));
  const wrong = texts.find((text) => !(actionSources as readonly string[]).includes(text));
  if (wrong !== undefined) reader.error(node, `Must be some of ${actionSources.join(", ")}, not "${wrong}"`, path);
  else if (order.length === 0) reader.error(node, `Names no source. Write some of ${actionSources.join(", ")}`, path);
  else if (new Set(order).size < order.length) reader.error(node, "Names a source twice", path);
  return order;
}

function readPatterns(reader: NodeReader, node: YamlNode | undefined, path: string): string[] | undefined {
  if (node === undefined) return undefined;
  if (node.kind === "mapping") reader.error(node, "Must be a list of patterns, e.g. acme/*", path);
  const nodes = node.kind === "sequence" ? node.items : [node];
  return nodes.flatMap((item) => {
    checkPattern(reader, item, path);
    return reader.name(item) ?? [];
  });
}

function checkPattern(reader: NodeReader, node: YamlNode, path: string): void {
  const text = reader.text(node) ?? "";
  if (text === "*" || /^(?:https?:\/\/[^/\s]+\/)?[\w.-]+\/(?:\*|[\w.-]+(?:\/[^@*\s]+)*(?:\/\*)?)(?:@\S+)?$/.test(text))
    return;
  reader.error(
    node,
    `"${text}" is no pattern. Write owner/repo, owner/repo/path, owner/* or *, perhaps with @ref`,
    path,
  );
}

function readPins(reader: NodeReader, node: YamlNode | undefined): PinRule {
  const text = reader.text(node) ?? "none";
  const found = pinRules.find((rule) => rule === text);
  if (found === undefined && node !== undefined) {
    reader.error(node, `Must be one of ${pinRules.join(", ")}, not "${text}"`, "pins");
  }
  return found ?? "none";
}

function readHosts(reader: NodeReader, node: YamlNode | undefined): ActionHost[] | undefined {
  if (node === undefined) return undefined;
  if (node.kind !== "sequence") {
    reader.error(node, "Must be a list of URLs; an empty one asks no other host", "hosts");
    return [];
  }
  return node.items.flatMap((item) => {
    const url = reader.name(item) ?? reader.name(reader.get(item, "url")) ?? "";
    const tokenFile = reader.name(reader.get(item, "token-file"));
    const parsed = URL.canParse(url) ? new URL(url) : undefined;
    if (parsed === undefined || !/^(?:https?|file):$/.test(parsed.protocol)) {
      reader.error(item, `"${url}" is no http, https or file URL`, "hosts");
    } else if (parsed.username !== "" || parsed.password !== "") {
      reader.error(item, "Credentials do not belong into a URL. Write token-file:", "hosts");
    } else return [{ url: url.replace(/\/+$/, ""), ...(tokenFile === undefined ? {} : { tokenFile }) }];
    return [];
  });
}

function readHours(reader: NodeReader, node: YamlNode | undefined): number | undefined {
  if (node === undefined) return undefined;
  if (node.kind === "scalar" && typeof node.value === "number" && node.value >= 0) return node.value;
  reader.error(node, "Must be a number of hours; 0 asks for every job", "refresh-hours");
  return undefined;
}
