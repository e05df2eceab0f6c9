/** The forms in which a secret may turn up in output, each to be masked: pure. */

/** A derived form shorter than this is no secret and would blot out ordinary text. */
const shortestDerived = 6;

/** Lines of a longer secret shorter than this (a brace of a JSON key file) are not masked. */
const shortestLine = 3;

/** The value, its lines, and what encoders make of them. */
export function maskedForms(secret: string): string[] {
  const forms = new Set<string>();
  const trimmed = secret.trim();
  if (trimmed === "") return [];
  const lines = secret.split(/[\r\n]+/).map((line) => line.trim());
  const whole = lines.filter((line) => line !== "");
  for (const value of whole.length === 1 ? whole : whole.filter((line) => line.length >= shortestLine)) {
    forms.add(value);
    for (const derived of derivedForms(value)) if (derived.length >= shortestDerived) forms.add(derived);
  }
  const ofAll = [...base64Forms(secret), ...wrappedBase64(secret), ...wrappedBase64(`${secret}\n`)];
  for (const derived of ofAll) if (derived.length >= shortestDerived) forms.add(derived);
  return [...forms];
}

function derivedForms(value: string): string[] {
  const json = JSON.stringify(value).slice(1, -1);
  return [
    ...base64Forms(value),
    json,
    // The same with `/` and non-ASCII escaped, as other JSON writers do.
    json.replaceAll("/", "\\/"),
    json.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`),
    value.replaceAll('"', '\\"'),
    value.replaceAll("'", "''"),
    // As shells quote: between single quotes, and as `printf %q` and `set -x` write it.
    value.replaceAll("'", `'\\''`),
    value.replace(/[^\w@%+=:,./-]/g, (unit) => `\\${unit}`),
    ...hexForms(value),
    encodeUri(value),
    encodeUri(value).replaceAll("%20", "+"),
    xmlEscape(value),
    unquoted(value),
    ...ampersandParts(value),
  ];
}

/** Base64 of the value standing at each of the three byte offsets, without the digits its neighbours decide. */
function base64Forms(value: string): string[] {
  const bytes = Buffer.from(value);
  const forms: string[] = [];
  for (const shift of [0, 1, 2]) {
    const shifted = Buffer.concat([Buffer.alloc(shift), bytes]);
    // One zero byte in front decides the first two digits (8 bits of 12), two decide three (16 of 18).
    const lead = shift === 0 ? 0 : shift + 1;
    // A last group of one byte fixes one digit alone, of two bytes two.
    const full = Math.floor((shifted.length * 8) / 6);
    const standard = shifted.toString("base64").slice(lead, full);
    forms.push(standard, standard.replaceAll("+", "-").replaceAll("/", "_"));
  }
  return forms;
}

/** `base64` breaks lines at 76 digits, `openssl` at 64: each line stands alone in a log. */
function wrappedBase64(value: string): string[] {
  const digits = Buffer.from(value).toString("base64").replace(/=+$/, "");
  return [76, 64].flatMap((width) =>
    digits.length <= width ? [] : (digits.match(new RegExp(`.{1,${width}}`, "g")) ?? []),
  );
}

function hexForms(value: string): string[] {
  const hex = Buffer.from(value).toString("hex");
  return [hex, hex.toUpperCase()];
}

function encodeUri(value: string): string {
  return value.isWellFormed() ? encodeURIComponent(value) : value;
}

function xmlEscape(value: string): string {
  return value
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&apos;");
}

function unquoted(value: string): string {
  return value.length > 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : "";
}

/** PowerShell's error text splits a value at the last `&`. */
function ampersandParts(value: string): string[] {
  if (!value.includes("&")) return [];
  const at = value.lastIndexOf("&") + (value[value.lastIndexOf("&") + 1] === "+" ? 1 : 0);
  return [value.slice(0, at + 1), value.slice(at + 1)];
}
