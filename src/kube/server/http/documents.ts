/** Discovery and OpenAPI of the kinds served now, made once for each change of the kinds. */
import {
  aggregatedContentType,
  aggregatedDiscovery,
  coreVersions,
  groupDocument,
  groupList,
  resourceList,
} from "../discovery/discovery-documents.ts";
import { byGroup, type GroupVersions, servedResources } from "../discovery/served-resources.ts";
import { documentKey, openApiDocuments, openApiIndex } from "../openapi/documents.ts";
import type { KindRegistry } from "../registry/kind-registry.ts";
import { noSuchPath } from "../verbs/dispatch.ts";
import { negotiate } from "./accept.ts";
import { type Answer, ok } from "./answer.ts";

interface OpenApi {
  readonly documents: ReadonlyMap<string, string>;
  readonly index: Record<string, unknown>;
}

export class Documents {
  readonly #kinds: KindRegistry;
  readonly #version: string;
  #generation = -1;
  #groups: readonly GroupVersions[] = [];
  #openApi: OpenApi | undefined;

  constructor(kinds: KindRegistry, version: string) {
    this.#kinds = kinds;
    this.#version = version;
  }

  /** `/api`, or `/apis` without the core group. */
  root(core: boolean, accept: string | undefined): Answer {
    const groups = this.#current().filter(({ group }) => (group === "") === core);
    const { as } = negotiate(accept, ["APIGroupDiscoveryList"]);
    if (as !== undefined) {
      return { kind: "body", code: 200, body: aggregatedDiscovery(groups), contentType: aggregatedContentType };
    }
    return ok(core ? coreVersions(groups) : groupList(groups));
  }

  group(group: string): Answer {
    return found(groupDocument(this.#current(), group));
  }

  groupVersion(group: string, version: string): Answer {
    return found(resourceList(this.#current(), group, version));
  }

  openApiIndex(): Answer {
    return ok(this.#currentOpenApi().index);
  }

  openApiGroup(group: string, version: string): Answer {
    const text = this.#currentOpenApi().documents.get(documentKey(group, version));
    if (text === undefined) throw noSuchPath();
    return { kind: "text", text, contentType: "application/json" };
  }

  #current(): readonly GroupVersions[] {
    if (this.#generation !== this.#kinds.generation) {
      this.#groups = byGroup(servedResources(this.#kinds.all()));
      this.#openApi = undefined;
      this.#generation = this.#kinds.generation;
    }
    return this.#groups;
  }

  /** The index has a hash of each document, so it is kept beside them: clients ask for it all the time. */
  #currentOpenApi(): OpenApi {
    this.#current();
    if (this.#openApi !== undefined) return this.#openApi;
    const documents = openApiDocuments(this.#kinds.all(), this.#version);
    this.#openApi = { documents, index: openApiIndex(documents) };
    return this.#openApi;
  }
}

function found(body: Record<string, unknown> | undefined): Answer {
  if (body === undefined) throw noSuchPath();
  return ok(body);
}
