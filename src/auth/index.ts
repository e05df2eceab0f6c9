/** Who is asking: tokens, sessions, login codes. */
export { Tokens, type MintOptions, type NewToken, type TokenOptions, type TokenView } from "./tokens.ts";
export { ensureAdminToken } from "./admin-token.ts";
export { cookieValue } from "./credentials.ts";
export { AuthError } from "./errors.ts";
