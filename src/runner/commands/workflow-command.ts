/** `::name key=value,key=value::data` and the older `##[name key=value;key=value]data`: pure. */
export interface WorkflowCommand {
  /** Lower case. */
  readonly name: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly data: string;
}

/** Undefined when the line is ordinary output. */
export function parseWorkflowCommand(line: string): WorkflowCommand | undefined {
  const text = line.trimStart();
  if (text.startsWith("::")) return parseCurrent(text);
  // The older form is allowed in the middle of a line.
  const at = text.indexOf("##[");
  return at === -1 ? undefined : parseOld(text.slice(at));
}

function parseCurrent(text: string): WorkflowCommand | undefined {
  const end = text.indexOf("::", 2);
  if (end === -1) return undefined;
  const head = text.slice(2, end);
  const space = head.indexOf(" ");
  const name = (space === -1 ? head : head.slice(0, space)).toLowerCase();
  if (name === "" || !commandNames.has(name)) return undefined;
  const properties = space === -1 ? {} : readProperties(head.slice(space + 1), ",");
  return { name, properties, data: unescapeData(text.slice(end + 2)) };
}

function parseOld(text: string): WorkflowCommand | undefined {
  const end = text.indexOf("]");
  if (end === -1) return undefined;
  const head = text.slice(3, end);
  const space = head.indexOf(" ");
  const name = (space === -1 ? head : head.slice(0, space)).toLowerCase();
  if (!commandNames.has(name)) return undefined;
  const properties = space === -1 ? {} : readProperties(head.slice(space + 1), ";");
  return { name, properties, data: unescapeOld(text.slice(end + 1)) };
}

function readProperties(text: string, separator: "," | ";"): Record<string, string> {
  const properties: Record<string, string> = {};
  for (const part of text.split(separator)) {
    const equals = part.indexOf("=");
    if (equals <= 0) continue;
    const value = part.slice(equals + 1);
    properties[part.slice(0, equals).trim()] = separator === "," ? unescapeProperty(value) : unescapeOld(value);
  }
  return properties;
}

/** `%25` last, so that `%250A` stays the text `%0A`. */
function unescapeData(text: string): string {
  return text.replace(/%0D/gi, "\r").replace(/%0A/gi, "\n").replaceAll("%25", "%");
}

function unescapeProperty(text: string): string {
  return text
    .replace(/%0D/gi, "\r")
    .replace(/%0A/gi, "\n")
    .replace(/%3A/gi, ":")
    .replace(/%2C/gi, ",")
    .replaceAll("%25", "%");
}

function unescapeOld(text: string): string {
  return text
    .replace(/%3B/gi, ";")
    .replace(/%0D/gi, "\r")
    .replace(/%0A/gi, "\n")
    .replace(/%5D/gi, "]")
    .replaceAll("%25", "%");
}

export const commandNames: ReadonlySet<string> = new Set([
  "add-mask",
  "debug",
  "notice",
  "warning",
  "error",
  "group",
  "endgroup",
  "add-matcher",
  "remove-matcher",
  "echo",
  "stop-commands",
  "set-output",
  "save-state",
  "set-env",
  "add-path",
]);
