import assert from "node:assert/strict";
import { test } from "node:test";
import type { Service } from "#api";
import { apiServerVariables, serviceVariables } from "./service-env.ts";

function service(name: string, spec: Partial<Service["spec"]>): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: "shop" },
    spec: { clusterIP: "10.96.0.9", ...spec },
  };
}

const reach = ({ metadata }: Service, port: number): { host: string; port: number } => ({
  host: `${metadata.name}.test`,
  port: port + 1000,
});

test("a service is told by host and port, by port name, and as a link", () => {
  const ports = [
    { name: "http", port: 80 },
    { name: "my-admin", port: 90 },
  ];
  assert.deepEqual(serviceVariables([service("redis-master", { ports })], reach), {
    REDIS_MASTER_SERVICE_HOST: "redis-master.test",
    REDIS_MASTER_SERVICE_PORT: "1080",
    REDIS_MASTER_SERVICE_PORT_HTTP: "1080",
    REDIS_MASTER_SERVICE_PORT_MY_ADMIN: "1090",
    REDIS_MASTER_PORT: "tcp://redis-master.test:1080",
    REDIS_MASTER_PORT_80_TCP: "tcp://redis-master.test:1080",
    REDIS_MASTER_PORT_80_TCP_PROTO: "tcp",
    REDIS_MASTER_PORT_80_TCP_PORT: "1080",
    REDIS_MASTER_PORT_80_TCP_ADDR: "redis-master.test",
    REDIS_MASTER_PORT_90_TCP: "tcp://redis-master.test:1090",
    REDIS_MASTER_PORT_90_TCP_PROTO: "tcp",
    REDIS_MASTER_PORT_90_TCP_PORT: "1090",
    REDIS_MASTER_PORT_90_TCP_ADDR: "redis-master.test",
  });
});

test("services without an address or a port, and names for others, are not told", () => {
  const services = [
    service("headless", { clusterIP: "None", ports: [{ port: 1 }] }),
    service("empty", {}),
    service("alias", { type: "ExternalName", externalName: "x", ports: [{ port: 1 }] }),
    service("unreached", { ports: [{ port: 1 }] }),
  ];
  assert.deepEqual(
    serviceVariables(services, ({ metadata }) => (metadata.name === "unreached" ? undefined : { host: "h", port: 1 })),
    {},
  );
});

test("the API server has the name that clients look for", () => {
  const variables = apiServerVariables({ host: "127.0.0.1", port: 7443 });
  assert.equal(variables["KUBERNETES_SERVICE_HOST"], "127.0.0.1");
  assert.equal(variables["KUBERNETES_SERVICE_PORT"], "7443");
});
