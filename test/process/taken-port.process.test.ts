import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../../scripts/steps.ts";
import { processesOf } from "../support/processes.ts";
import { run } from "../support/run-command.ts";

for (const flag of ["--port", "--traffic-port", "--kube-port"]) {
  test(`a first start whose ${flag} is taken says so and leaves nothing running`, async () => {
    const home = await mkdtemp(join(tmpdir(), "tidegate-taken-"));
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    try {
      const { port } = other.address() as AddressInfo;
      const ports = { "--port": "0", "--traffic-port": "0", "--kube-port": "0", [flag]: String(port) };
      const args = [join(root, "src", "cli", "main.ts"), "up", "--home", home, ...Object.entries(ports).flat()];
      const { stderr } = await run(process.execPath, args, { env: { PATH: process.env["PATH"] ?? "" }, code: 1 });
      assert.match(stderr, new RegExp(`error: Cannot listen on "127\\.0\\.0\\.1:${port}": the port is taken`));
      assert.deepEqual(processesOf(home), []);
    } finally {
      other.close();
      await rm(home, { recursive: true, force: true, maxRetries: 5 });
    }
  });
}
