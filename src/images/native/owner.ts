/** `--chown=user:group`, numbers or names of the image's own /etc/passwd and /etc/group. */
import { InstructionProblem } from "./instruction-problem.ts";

type ReadText = (path: string) => Promise<string | undefined>;

export async function parseOwner(text: string, readText: ReadText): Promise<{ uid: number; gid: number }> {
  const [user = "", group] = text.split(":");
  const uid = await numberOf(user, "/etc/passwd", "user", readText);
  // Docker: without a group the number of the user is the group's too.
  const gid = group === undefined || group === "" ? uid : await numberOf(group, "/etc/group", "group", readText);
  return { uid, gid };
}

async function numberOf(name: string, file: string, what: string, readText: ReadText): Promise<number> {
  if (/^\d{1,10}$/.test(name)) return Number(name);
  const lines = ((await readText(file)) ?? "").split("\n").map((line) => line.split(":"));
  const number = lines.find((fields) => fields[0] === name)?.[2];
  if (number !== undefined && /^\d+$/.test(number)) return Number(number);
  throw new InstructionProblem(
    `--chown names the ${what} "${name}", but "${file}" of the image has none: use a number`,
  );
}
