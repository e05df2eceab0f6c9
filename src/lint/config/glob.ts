/** Globs of configuration files: `*` and `?` within a path's segment, `**` across them, `{a,b}` and `[a-z]`. */
import { linearPattern, type LinearPattern } from "#lib";

/** Matches the whole text. @throws SyntaxError for a class that is not closed, or a glob that is too large */
export function globPattern(glob: string): LinearPattern {
  let source = "";
  let depth = 0;
  for (let at = 0; at < glob.length; at++) {
    const rest = glob.slice(at);
    const folders = /^\*\*\//.exec(rest)?.[0];
    const set = /^\[(?:[!^]?\]?[^\]]*)\]/.exec(rest)?.[0];
    if (folders !== undefined) {
      source += "(?:[^/]+/)*";
      at += folders.length - 1;
    } else if (rest.startsWith("**")) {
      source += ".*";
      at += 1;
    } else if (set !== undefined) {
      source += set.replace(/^\[!/, "[^").replaceAll("\\", "\\\\");
      at += set.length - 1;
    } else if (glob[at] === "{") {
      source += "(?:";
      depth += 1;
    } else if (glob[at] === "}" && depth > 0) {
      source += ")";
      depth -= 1;
    } else if (glob[at] === "," && depth > 0) source += "|";
    else source += one(glob[at] ?? "");
  }
  return linearPattern(`^(?:${source})$`);
}

function one(character: string): string {
  if (character === "*") return "[^/]*";
  if (character === "?") return "[^/]";
  return /[\w/]/.test(character) ? character : `\\${character}`;
}
