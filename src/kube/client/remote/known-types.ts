/** Which types a remote API serves, by what its discovery says. */
import { apiVersionOf, type ResourceType } from "#api";
import { isObject } from "#lib";
import type { Connection } from "./connection.ts";

export class KnownTypes {
  readonly #connection: Connection;
  #types = new Map<string, ResourceType>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  find(apiVersion: string, kind: string): ResourceType | undefined {
    return this.#types.get(`${apiVersion}/${kind}`);
  }

  /** Reads all groups and versions anew; one that cannot be read (an aggregated API that is down) is left out. */
  async refresh(signal: AbortSignal): Promise<void> {
    const groups = await this.#connection.json({ method: "GET", path: "/apis", signal });
    const versions = ["v1", ...groupVersions(groups)];
    const read = await Promise.all(versions.map((version) => this.#read(version, signal)));
    this.#types = new Map(read.flat().map((type) => [`${apiVersionOf(type)}/${type.kind}`, type]));
  }

  async #read(groupVersion: string, signal: AbortSignal): Promise<readonly ResourceType[]> {
    const slash = groupVersion.indexOf("/");
    const group = slash < 0 ? "" : groupVersion.slice(0, slash);
    const version = groupVersion.slice(slash + 1);
    const path = group === "" ? `/api/${version}` : `/apis/${groupVersion}`;
    try {
      const answer = await this.#connection.json({ method: "GET", path, signal });
      return listOf(answer, "resources").flatMap((entry) => typeOf(entry, group, version));
    } catch (error) {
      signal.throwIfAborted();
      if (groupVersion === "v1") throw error;
      return [];
    }
  }
}

function groupVersions(groups: unknown): readonly string[] {
  return listOf(groups, "groups").flatMap((group) =>
    listOf(group, "versions").flatMap((version) => {
      const name = isObject(version) ? version["groupVersion"] : undefined;
      return typeof name === "string" ? [name] : [];
    }),
  );
}

/** Subresources have a slash in their name. */
function typeOf(entry: unknown, group: string, version: string): readonly ResourceType[] {
  const { name, kind, namespaced } = isObject(entry) ? entry : {};
  if (typeof name !== "string" || typeof kind !== "string" || name.includes("/")) return [];
  return [{ group, version, kind, plural: name, namespaced: namespaced === true }];
}

function listOf(value: unknown, key: string): readonly unknown[] {
  const list = isObject(value) ? value[key] : undefined;
  return Array.isArray(list) ? list : [];
}
