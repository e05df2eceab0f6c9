/** Actions workflows: files in, jobs out, and the durable state of runs. Knows no git, no tokens' store, no processes. */
export * from "./protocol.ts";
