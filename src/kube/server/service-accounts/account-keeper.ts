/**
 * What every namespace has for its pods: the service account `default` and, where the API has an authority, the
 * ConfigMap `kube-root-ca.crt`. And the Secrets that ask for a service account's token: filled, and deleted with their
 * account. Event-driven; each step is decided from what is there at that moment.
 */
import { type AnyObject, configMaps, namespaces, secrets, serviceAccounts } from "#api";
import { type Log, Wake } from "#lib";
import { KubeError } from "../../client/kube-error.ts";
import type { StoreChange } from "../../store/store-event.ts";
import type { ObjectApi } from "../object-api.ts";
import type { ServedKind } from "../registry/served-kind.ts";
import { plainWrite } from "../write/write-request.ts";
import type { AccountTokens } from "./account-tokens.ts";
import { filledSecret, planTokenSecret, type TokenSecret, tokenSecretOf } from "./token-secret.ts";

const defaultAccount = "default";
const authorityMap = "kube-root-ca.crt";
const manager = "tidegate";

export class AccountKeeper implements Disposable {
  readonly #objects: ObjectApi;
  readonly #accounts: AccountTokens;
  readonly #log: Log;
  readonly #wake = new Wake();
  /** Namespaces that may lack something. */
  readonly #namespaces = new Set<string>();
  /** Secrets to look at, by their place. */
  readonly #secrets = new Map<string, TokenSecret>();
  readonly #observation: Disposable;

  /** Gives the namespaces that are there what they need before it returns. */
  constructor(objects: ObjectApi, accounts: AccountTokens, log: Log) {
    this.#objects = objects;
    this.#accounts = accounts;
    this.#log = log;
    for (const { metadata } of objects.store.list(namespaces.plural)) this.#namespaces.add(metadata.name);
    for (const secret of objects.store.list(secrets.plural)) this.#enqueueSecret(secret);
    this.#furnishAll();
    this.#observation = objects.store.observe((change) => this.#see(change));
  }

  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      this.#furnishAll();
      for (const [place, secret] of this.#secrets) {
        this.#secrets.delete(place);
        try {
          await this.#settle(secret);
        } catch (error) {
          this.#tell("Settling a service account's token failed", secret.name, error);
        }
        signal.throwIfAborted();
      }
      await this.#wake.wait(signal);
    }
  }

  [Symbol.dispose](): void {
    this.#observation[Symbol.dispose]();
  }

  #see({ key, type, object }: StoreChange): void {
    switch (key.resource) {
      case namespaces.plural:
        if (type !== "ADDED") return;
        this.#namespaces.add(key.name);
        break;
      case serviceAccounts.plural:
        if (type === "MODIFIED") return;
        // Secrets may have come before their account, and must not outlive it.
        for (const secret of this.#objects.store.list(secrets.plural, key.namespace)) {
          if (tokenSecretOf(secret)?.account === key.name) this.#enqueueSecret(secret);
        }
        if (type === "DELETED" && key.name === defaultAccount) this.#namespaces.add(key.namespace);
        break;
      case configMaps.plural:
        if (key.name !== authorityMap || type === "ADDED") return;
        this.#namespaces.add(key.namespace);
        break;
      case secrets.plural:
        if (type === "DELETED") return;
        this.#enqueueSecret(object);
        break;
      default:
        return;
    }
    this.#wake.notify();
  }

  #enqueueSecret(object: AnyObject): void {
    const secret = tokenSecretOf(object);
    if (secret === undefined) return;
    this.#secrets.set(`${secret.namespace}/${secret.name}`, secret);
  }

  #furnishAll(): void {
    for (const name of this.#namespaces) {
      this.#namespaces.delete(name);
      try {
        this.#furnish(name);
      } catch (error) {
        this.#tell("Giving a namespace its service account failed", name, error);
      }
    }
  }

  #furnish(name: string): void {
    const { store } = this.#objects;
    const namespace = store.get({ resource: namespaces.plural, namespace: "", name });
    if (namespace === undefined || namespace.metadata.deletionTimestamp !== undefined) return;
    this.#ensure(
      serviceAccounts,
      { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: defaultAccount } },
      name,
    );
    const { authority } = this.#accounts;
    if (authority === "") return;
    const annotations = {
      "kubernetes.io/description":
        "The authority to check this API by: what pods use to know whom they talk to. Changes to it are undone.",
    };
    const metadata = { name: authorityMap, annotations };
    const map = { apiVersion: "v1", kind: "ConfigMap", metadata, data: { "ca.crt": authority } };
    const kept = this.#ensure(configMaps, map, name);
    const data = kept?.["data"] as Record<string, string> | undefined;
    if (kept === undefined || data?.["ca.crt"] === authority) return;
    const kind = this.#kind(configMaps);
    if (kind === undefined) return;
    this.#objects.update(
      kind,
      { namespace: name, name: authorityMap },
      { ...kept, data: map.data },
      plainWrite(manager),
    );
  }

  /** What is there, or was made. Kinds may leave some out in tests; then there is nothing to make. */
  #ensure(type: Typed, object: AnyObject, namespace: string): AnyObject | undefined {
    const kind = this.#kind(type);
    if (kind === undefined) return undefined;
    const found = this.#objects.find(kind, { namespace, name: object.metadata.name });
    return found ?? this.#objects.create(kind, namespace, object, plainWrite(manager));
  }

  async #settle({ namespace, name, account }: TokenSecret): Promise<void> {
    const kind = this.#kind(secrets);
    const secret = this.#stored(secrets.plural, namespace, name);
    if (kind === undefined || secret === undefined || tokenSecretOf(secret)?.account !== account) return;
    const { authority } = this.#accounts;
    const step = planTokenSecret(secret, this.#stored(serviceAccounts.plural, namespace, account), authority);
    if (step.kind === "delete") {
      const preconditions = { uid: secret.metadata.uid ?? "" };
      this.#objects.delete(kind, { namespace, name }, { preconditions });
    }
    if (step.kind !== "fill") return;
    const token = step.needsToken ? await this.#accounts.issueForSecret(namespace, step.account, name) : undefined;
    // Its resourceVersion is the lock: what was written meanwhile brings the Secret here again.
    const filled = filledSecret(secret, step.account, { token, authority });
    this.#objects.update(kind, { namespace, name }, filled, plainWrite(manager));
  }

  #stored(resource: string, namespace: string, name: string): AnyObject | undefined {
    return this.#objects.store.get({ resource, namespace, name });
  }

  #kind({ group, version, plural }: Typed): ServedKind | undefined {
    return this.#objects.kinds.find(group, version, plural);
  }

  #tell(message: string, name: string, error: unknown): void {
    if (!(error instanceof KubeError)) throw error;
    // Gone or changed meanwhile: its own events bring it here again.
    if (error.reason !== "Conflict" && error.reason !== "NotFound") this.#log.warn(message, { name, error });
  }
}

type Typed = Pick<ServedKind["type"], "group" | "version" | "plural">;
