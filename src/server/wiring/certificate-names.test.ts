import assert from "node:assert/strict";
import { test } from "node:test";
import { certificateNames } from "./certificate-names.ts";

const interfaces = [
  { address: "127.0.0.1", internal: true },
  { address: "192.0.2.7", internal: false },
  { address: "fe80::1%eth0", internal: false },
];
const facts = { host: "127.0.0.1", hostName: "gate", interfaces, more: [] };
const cases = [
  {
    name: "on loopback: the machine's name, and no address of its interfaces",
    facts,
    has: ["gate", "kubernetes.default.svc", "::1"],
    hasNot: ["192.0.2.7"],
  },
  {
    name: "everywhere: the addresses of its interfaces, without zones",
    facts: { ...facts, host: "0.0.0.0" },
    has: ["192.0.2.7", "fe80::1"],
    hasNot: ["0.0.0.0"],
  },
  { name: "on one address: that one", facts: { ...facts, host: "192.0.2.7" }, has: ["192.0.2.7"], hasNot: ["fe80::1"] },
  {
    name: "what it was told, once",
    facts: { ...facts, more: ["gate.example", "localhost"] },
    has: ["gate.example"],
    hasNot: [],
  },
  {
    name: "no machine name that a certificate cannot carry",
    facts: { ...facts, hostName: "my box" },
    has: [],
    hasNot: ["my box"],
  },
];
for (const { name, facts: given, has, hasNot } of cases) {
  test(`a certificate stands for: ${name}`, () => {
    const names = certificateNames(given);
    assert.deepEqual([...new Set(names)].sort(), names);
    assert.deepEqual(
      has.filter((one) => !names.includes(one)),
      [],
    );
    assert.deepEqual(
      hasNot.filter((one) => names.includes(one)),
      [],
    );
  });
}
