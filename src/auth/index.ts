/** Who is asking: tokens, sessions, login codes; and by what a client knows the Kubernetes API: its certificates. */
export { Tokens, type MintOptions, type NewToken, type TokenOptions, type TokenView } from "./tokens.ts";
export { Authority, ensurePrivateKey, type ServerCredentials } from "./certificates/authority.ts";
export { JobIdentities } from "./identities/job-identities.ts";
export type { JobIdentity } from "./identities/claims.ts";
export { identityRoutes, idTokenPath } from "./identities/routes.ts";
export { ensureAdminToken } from "./admin-token.ts";
export { cookieValue } from "./credentials.ts";
export { AuthError } from "./errors.ts";
