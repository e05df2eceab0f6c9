/** With what the container engine of this machine pulls from our registry: a token of this process that may read there. */
import type { Tokens } from "#auth";
import type { Ids } from "#lib";

export interface EngineLogin {
  readonly username: string;
  readonly password: string;
}

/** Made at the first pull; the next control process makes its own, and this one's ends with that. */
export function engineLogin(tokens: Tokens, ids: Ids): () => Promise<EngineLogin> {
  let login: Promise<EngineLogin> | undefined;
  const make = async (): Promise<EngineLogin> => {
    const password = `tg_engine_${ids.secret()}`;
    await tokens.install("container-engine", password, { name: "container engine", scopes: ["registry:read"] });
    return { username: "container-engine", password };
  };
  return async () => {
    login ??= make();
    try {
      return await login;
    } catch (error) {
      login = undefined;
      throw error;
    }
  };
}
