import { chmod } from "node:fs/promises";
import { type Ids, readFileIfExists, writeFileAtomic } from "#lib";
import type { Tokens } from "./tokens.ts";

/**
 * Makes the admin token at the first start and keeps it in `file`, readable by the owner only. The file is the source:
 * a person who replaces its content and restarts has replaced the token.
 */
export async function ensureAdminToken(tokens: Tokens, file: string, ids: Ids): Promise<string> {
  const existing = (await readFileIfExists(file))?.trim();
  const secret = existing === undefined || existing === "" ? `tg_${ids.secret()}` : existing;
  if (secret === existing) await chmod(file, 0o600);
  else await writeFileAtomic(file, `${secret}\n`, 0o600);
  await tokens.install("admin", secret, { name: "admin", scopes: ["admin"] });
  return secret;
}
