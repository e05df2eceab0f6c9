import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { ContainerSecurity } from "../pod-runtime.ts";
import { checkNonRoot, grantedCapabilities } from "../security.ts";
import { capabilityNumbers } from "./capability-numbers.ts";
import { plainIdentity } from "./plain-security.ts";
import { seccompFilter } from "./seccomp.ts";
import { addressNumber, addressText, chooseAddress, chooseSubnet, gatewayOf, overlaps, parseSubnet } from "./subnet.ts";
import { chooseUser, parsePasswd } from "./user.ts";

const nothing: ContainerSecurity = {
  privileged: false,
  runAsNonRoot: false,
  groups: [],
  readOnlyRootFilesystem: false,
  addCapabilities: [],
  dropCapabilities: [],
  seccomp: undefined,
};

const passwd = parsePasswd("root:x:0:0::/root:/bin/sh\nnode:x:1000:1001::/home/node:\nbroken line\n");
const group = "root:x:0:\nstaff:x:50:node,ada\n";
const users: { user: string | undefined; security?: Partial<ContainerSecurity>; want: unknown[] }[] = [
  { user: undefined, want: [0, 0, [0], "/root"] },
  { user: "node", want: [1000, 1001, [1001, 50], "/home/node"] },
  { user: "node:staff", want: [1000, 50, [50], "/home/node"] },
  { user: "7:8", want: [7, 8, [8], "/"] },
  { user: "node", security: { runAsUser: 0 }, want: [0, 0, [0], "/root"] },
  { user: "nobody-knows", security: { runAsUser: 5, runAsGroup: 6, fsGroup: 7 }, want: [5, 6, [6, 7], "/"] },
];
for (const { user, security, want } of users) {
  test(`USER ${user ?? "(none)"} with ${JSON.stringify(security ?? {})} is ${JSON.stringify(want)}`, () => {
    const { uid, gid, groups, home } = chooseUser(passwd, group, user, { ...nothing, ...security });
    assert.deepEqual([uid, gid, groups, home], want);
  });
}

test("a user whom the image does not know is refused by name", () => {
  assert.throws(() => chooseUser(passwd, group, "ada", undefined), /unable to find user ada/);
});

test("runAsNonRoot is refused for root and for a name that says nothing", () => {
  const security = { ...nothing, runAsNonRoot: true };
  assert.doesNotThrow(() => checkNonRoot(security, "1000:1000"));
  assert.throws(() => checkNonRoot(security, undefined), /image will run as root/);
  assert.throws(() => checkNonRoot(security, "node"), /non-numeric user \(node\)/);
  assert.doesNotThrow(() => checkNonRoot({ ...security, runAsUser: 1 }, "node"));
});

test("capabilities are dropped before they are added", () => {
  const granted = grantedCapabilities({ ...nothing, dropCapabilities: ["ALL"], addCapabilities: ["NET_BIND_SERVICE"] });
  assert.deepEqual(granted, ["NET_BIND_SERVICE"]);
  assert.ok(!grantedCapabilities({ ...nothing, dropCapabilities: ["CHOWN"] }).includes("CHOWN"));
  assert.deepEqual(capabilityNumbers(["CHOWN", "NET_BIND_SERVICE", "SETFCAP"]), [0, 10, 31]);
});

const server = { uid: 1000, gid: 1000, groups: [1000, 27] };
const plain: { name: string; security: Partial<ContainerSecurity>; refused?: string }[] = [
  { name: "the server's own user", security: { runAsUser: 1000, runAsNonRoot: true, groups: [27], fsGroup: 9 } },
  {
    name: "no new rights",
    security: { allowPrivilegeEscalation: false, dropCapabilities: ["ALL"], seccomp: "RuntimeDefault" },
  },
  { name: "another user", security: { runAsUser: 1 }, refused: "runAsUser" },
  { name: "a read-only root", security: { readOnlyRootFilesystem: true }, refused: "readOnlyRootFilesystem" },
  { name: "a capability", security: { addCapabilities: ["NET_ADMIN"] }, refused: "capabilities.add" },
  { name: "all rights", security: { privileged: true }, refused: "privileged" },
];
for (const { name, security, refused } of plain) {
  test(`a plain process ${refused === undefined ? "has" : "is refused"} ${name}`, () => {
    const identity = (): unknown => plainIdentity({ ...nothing, ...security }, server);
    if (refused === undefined) assert.doesNotThrow(identity);
    else assert.throws(identity, new RegExp(`securityContext\\.${refused}:`));
  });
}

test("the filter refuses other architectures and listed calls, and allows the rest", () => {
  for (const [architecture, audit, mount, read] of [
    ["x64", 0xc000003e, 165, 0],
    ["arm64", 0xc00000b7, 40, 63],
  ] as const) {
    const filter = seccompFilter(architecture) ?? Buffer.alloc(0);
    const [allowed, refused] = [0x7fff0000, 0x00050001];
    assert.equal(verdict(filter, audit, read), allowed);
    assert.equal(verdict(filter, audit, mount), refused);
    assert.equal(verdict(filter, 1, read), refused);
    assert.equal(verdict(filter, audit, 0x40000000), refused);
  }
});

/** A machine for the instructions that the filter has (seccomp(2)). */
function verdict(filter: Buffer, architecture: number, call: number): number {
  let value = 0;
  for (let at = 0; ;) {
    const [code, yes, no, k] = [
      filter.readUInt16LE(at),
      filter.readUInt8(at + 2),
      filter.readUInt8(at + 3),
      filter.readUInt32LE(at + 4),
    ];
    if (code === 0x06) return k;
    if (code === 0x20) value = k === 4 ? architecture : call;
    const jumps = code === 0x15 ? (value === k ? yes : no) : code === 0x35 ? (value >= k ? yes : no) : 0;
    at += 8 * (1 + jumps);
  }
}

test("subnets avoid what the machine has, and addresses are of the subnet and nobody else's", () => {
  const subnet = fc.record({
    base: fc.integer({ min: addressNumber("10.201.0.0"), max: addressNumber("10.201.255.255") }),
    bits: fc.integer({ min: 18, max: 32 }),
  });
  fc.assert(
    fc.property(fc.array(subnet, { maxLength: 8 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (taken, random) => {
      const chosen = chooseSubnet(taken, random);
      if (chosen === undefined) return;
      assert.ok(!taken.some((other) => overlaps(chosen, other)));
      const held = new Set([gatewayOf(chosen)]);
      for (let count = 0; count < 5; count++) {
        const address = chooseAddress(chosen, held, random);
        assert.ok(address !== undefined && !held.has(address));
        assert.ok(overlaps(chosen, { base: addressNumber(address), bits: 32 }));
        held.add(address);
      }
    }),
  );
});

test("an address is read as it is written", () => {
  fc.assert(fc.property(fc.ipV4(), (text) => assert.equal(addressText(addressNumber(text)), text)));
  assert.deepEqual(parseSubnet("10.1.0.0/16"), { base: addressNumber("10.1.0.0"), bits: 16 });
  assert.equal(parseSubnet("default"), undefined);
});
