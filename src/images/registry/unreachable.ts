import { ImageError } from "../errors.ts";

/** No answer, or none to its end. */
export function unreachable(host: string, what: string, cause: unknown): ImageError {
  const message = `Cannot reach registry "${host}" for ${what}: check its name and that it runs`;
  return new ImageError("images/registry-unreachable", message, { cause });
}
