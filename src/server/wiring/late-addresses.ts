import type { Addresses } from "./addresses.ts";

/** Rooms are opened before the ports are bound; what they say of addresses they say later. */
export class LateAddresses implements Addresses {
  readonly host: string;
  #ports: { readonly control: number; readonly traffic: number } | undefined;

  constructor(host: string) {
    this.host = host;
  }

  settle(control: number, traffic: number): void {
    this.#ports = { control, traffic };
  }

  get controlPort(): number {
    return this.#settled().control;
  }

  get trafficPort(): number {
    return this.#settled().traffic;
  }

  #settled(): { readonly control: number; readonly traffic: number } {
    if (this.#ports === undefined) throw new Error("The ports are not bound yet");
    return this.#ports;
  }
}
