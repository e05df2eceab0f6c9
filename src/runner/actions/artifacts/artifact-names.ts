/** What may not be in the name of an artifact, or of a file in one. Pure. */
import { StepFailure } from "../../errors.ts";

const inPaths: readonly (readonly [string, string])[] = [
  ['"', 'Double quote "'],
  [":", "Colon :"],
  ["<", "Less than <"],
  [">", "Greater than >"],
  ["|", "Vertical bar |"],
  ["*", "Asterisk *"],
  ["?", "Question mark ?"],
  ["\r", "Carriage return \\r"],
  ["\n", "Line feed \\n"],
];
const inNames = [...inPaths, ["\\", "Backslash \\"], ["/", "Forward slash /"]] as const;

const reason =
  "some file systems, such as NTFS, do not allow them, and what is uploaded must be downloadable everywhere";

export function requireArtifactName(name: string): void {
  if (name === "") throw new StepFailure("Provided artifact name input during validation is empty");
  refuse(`The artifact name is not valid: ${name}`, name, inNames);
}

export function requireArtifactPath(path: string): void {
  refuse(`The path for one of the files in artifact is not valid: ${path}`, path, inPaths);
}

function refuse(beginning: string, text: string, banned: readonly (readonly [string, string])[]): void {
  const found = banned.find(([character]) => text.includes(character));
  if (found === undefined) return;
  const all = banned.map(([, name]) => name).join(", ");
  throw new StepFailure(
    `${beginning}. Contains the following character: ${found[1]}\nInvalid characters include: ${all}\n${reason}`,
  );
}
