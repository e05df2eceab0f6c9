import type { Addresses } from "./addresses.ts";

interface Ports {
  readonly control: number;
  readonly traffic: number;
  readonly kube: number;
}

/** Rooms are opened before the ports are bound; what they say of addresses they say later. */
export class LateAddresses implements Addresses {
  readonly host: string;
  readonly publicUrl: string | undefined;
  #ports: Ports | undefined;

  constructor(host: string, publicUrl?: string) {
    this.host = host;
    this.publicUrl = publicUrl;
  }

  settle(ports: Ports): void {
    this.#ports = ports;
  }

  get controlPort(): number {
    return this.#settled().control;
  }

  get trafficPort(): number {
    return this.#settled().traffic;
  }

  get kubePort(): number {
    return this.#settled().kube;
  }

  #settled(): Ports {
    if (this.#ports === undefined) throw new Error("The ports are not bound yet");
    return this.#ports;
  }
}
