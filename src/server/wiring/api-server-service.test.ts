import assert from "node:assert/strict";
import { test } from "node:test";
import { apiServerObjects } from "./api-server-service.ts";

const cases = [
  { name: "the address that it listens on", host: "192.0.2.7", type: "IPv4", ip: "192.0.2.7" },
  { name: "an address of the newer kind", host: "2001:db8::7", type: "IPv6", ip: "2001:db8::7" },
  { name: "loopback where it listens on every address", host: "0.0.0.0", type: "IPv4", ip: "127.0.0.1" },
  { name: "loopback where it listens on every address of both kinds", host: "::", type: "IPv4", ip: "127.0.0.1" },
  {
    name: "loopback for a name, which a slice of addresses cannot have",
    host: "localhost",
    type: "IPv4",
    ip: "127.0.0.1",
  },
];
for (const { name, host, type, ip } of cases) {
  test(`the API server is found at ${name}`, () => {
    const { service, slice, endpoints } = apiServerObjects(host, 7443);
    assert.equal(slice.addressType, type);
    assert.deepEqual(slice.endpoints[0]?.addresses, [ip]);
    assert.deepEqual(endpoints.subsets?.[0]?.addresses, [{ ip }]);
    assert.deepEqual([service.spec.ports?.[0]?.targetPort, slice.ports?.[0]?.port], [7443, 7443]);
  });
}
