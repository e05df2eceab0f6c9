import { chmod, mkdir, stat } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { sha256Hex } from "#lib";
import { RouterError } from "../errors.ts";

/** `sun_path` holds 108 bytes on Linux and 104 on macOS, the closing NUL included. */
const maxSocketPathBytes = 100;

/** Where the control socket of a router lies: in its folder, or, when that path is too long, in a private one that is short. */
export async function socketPathFor(folder: string): Promise<string> {
  const direct = join(folder, "control.sock");
  if (Buffer.byteLength(direct) <= maxSocketPathBytes) return direct;
  const { uid } = userInfo();
  const shared = join(tmpdir(), `tidegate-${uid}`);
  await mkdir(shared, { recursive: true, mode: 0o700 });
  const owner = await stat(shared);
  if (owner.uid !== uid && uid !== -1)
    throw new RouterError(
      "router/socket-path",
      `Cannot use folder "${shared}" for control sockets: it belongs to another user`,
    );
  await chmod(shared, 0o700);
  return join(shared, `${sha256Hex(folder).slice(0, 16)}.sock`);
}
