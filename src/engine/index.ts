/** Speaks with a Docker-compatible container engine of this machine. Must not know what its containers are for. */
export { engineText, findEngine, type EngineAddress } from "./engine-address.ts";
export { EngineClient } from "./engine-client.ts";
export { EngineUnusable, isEngineStatus } from "./errors.ts";
export { hasImage, pullImage, readProgress, registryAuthOf, splitReference, type EngineLogin } from "./images.ts";
export { ensurePauseImage, pauseProgram, pauseReference } from "./pause-image.ts";
export { jsonLines } from "./json-lines.ts";
export { FrameReader } from "./stream-frames.ts";
