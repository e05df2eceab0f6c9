import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";

/** For programs that cannot say which port they chose. Nobody else takes it soon: the kernel hands them out in turn. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, "close");
  return port;
}
