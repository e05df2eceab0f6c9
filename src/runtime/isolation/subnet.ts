/** Addresses of pods: pure. IPv4 as numbers. */

export interface Subnet {
  readonly base: number;
  readonly bits: number;
}

/** Private space that home routers and engines rarely use; room for 64 installations of 1,021 pods. */
const space: Subnet = { base: addressNumber("10.201.0.0"), bits: 16 };
const subnetBits = 22;

export function addressNumber(text: string): number {
  return text.split(".").reduce((number, part) => number * 256 + Number(part), 0);
}

export function addressText(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join(".");
}

/** `10.1.0.0/16`; `default` and single addresses too. */
export function parseSubnet(text: string): Subnet | undefined {
  const match = /^(\d+\.\d+\.\d+\.\d+)(?:\/(\d+))?$/.exec(text);
  if (match?.[1] === undefined) return undefined;
  return { base: addressNumber(match[1]), bits: match[2] === undefined ? 32 : Number(match[2]) };
}

export function overlaps(a: Subnet, b: Subnet): boolean {
  const size = 2 ** (32 - Math.min(a.bits, b.bits));
  return Math.floor(a.base / size) === Math.floor(b.base / size);
}

/**
 * A part of the space that nothing on this machine has.
 *
 * @param random in [0, 1): where to begin, so that installations that start at once rarely meet
 */
export function chooseSubnet(taken: readonly Subnet[], random: number): Subnet | undefined {
  const count = 2 ** (subnetBits - space.bits);
  const first = Math.floor(random * count);
  for (let tries = 0; tries < count; tries++) {
    const base = space.base + ((first + tries) % count) * 2 ** (32 - subnetBits);
    const candidate = { base, bits: subnetBits };
    if (!taken.some((other) => overlaps(candidate, other))) return candidate;
  }
  return undefined;
}

export function gatewayOf({ base }: Subnet): string {
  return addressText(base + 1);
}

/** An address that no pod has: not the network's, the gateway's or the broadcast's. */
export function chooseAddress(subnet: Subnet, taken: ReadonlySet<string>, random: number): string | undefined {
  const count = 2 ** (32 - subnet.bits) - 3;
  const first = Math.floor(random * count);
  for (let tries = 0; tries < count; tries++) {
    const address = addressText(subnet.base + 2 + ((first + tries) % count));
    if (!taken.has(address)) return address;
  }
  return undefined;
}
