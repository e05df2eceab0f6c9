/** The system behind it all. */
import type { SystemStatus } from "#api";
import { ago } from "./moments.ts";

export const status: SystemStatus = {
  version: "0.1.0",
  startedAt: ago(9100),
  addresses: {
    control: "http://127.0.0.1:7070",
    traffic: "http://127.0.0.1:8080",
    kubernetes: "http://127.0.0.1:7070/kube",
    registry: "127.0.0.1:7070",
  },
  processes: [],
  pods: { total: 3, ready: 2 },
  repositories: 3,
};
