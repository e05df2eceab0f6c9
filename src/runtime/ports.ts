/** What the runtime needs of others. */
import type { RegistryLogin } from "./pod-runtime.ts";

/** The part of an OCI image configuration ("config" of the image config object, image-spec 1.1) that decides how a container starts. */
export interface ImageConfig {
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly WorkingDir?: string;
  readonly User?: string;
  readonly StopSignal?: string;
  readonly ExposedPorts?: Readonly<Record<string, unknown>>;
  readonly Labels?: Readonly<Record<string, string>>;
}

export interface ImageLayer {
  readonly digest: string;
  readonly mediaType: string;
  /** A file with the layer's bytes, as stored (compressed or not). Stays readable until `resolve`'s caller has unpacked it. */
  readonly path: string;
}

export interface ResolvedImage {
  /** Digest of the manifest of this platform. */
  readonly digest: string;
  /** The whole OCI image config object. */
  readonly config: { readonly config?: ImageConfig; readonly rootfs?: { readonly diff_ids?: readonly string[] } };
  readonly layers: readonly ImageLayer[];
}

/** Where images come from. The server wires it to the registry. */
export interface ImageSourcePort {
  /**
   * Throws with a message for the pod's events when there is no such image.
   *
   * @param logins tried in order where their registry is the image's
   */
  resolve(reference: string, signal: AbortSignal, logins?: readonly RegistryLogin[]): Promise<ResolvedImage>;

  /** With what a container engine may pull this image from our own registry; undefined when it is not there. */
  engineLogin?(reference: string): Promise<RegistryLogin | undefined>;
}

/** What a pod with a network of its own finds at its gateway, where the machine's loopback is not. */
export interface GatewayPort {
  /** Host names that lead to the machine: of services, and of the API server. */
  names(): readonly string[];
  /** Ports of the machine's loopback by the port at the gateway: `{ 80: 8080, 8080: 8080, 7443: 7443 }`. */
  ports(): Readonly<Record<number, number>>;
  /** The host under which the API server's certificate knows it, and which is among `names`. */
  readonly apiServer: string;
}
