/** What upstream lets names, labels and ports be, in its words, which clients show and match on. Pure. */
import { invalid } from "../argo/field-problem.ts";
import type { Problem } from "#lib";

const label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const subdomain = `${label}(\\.${label})*`;
const labelPattern = new RegExp(`^${label}$`);
const subdomainPattern = new RegExp(`^${subdomain}$`);
const labelWords =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with " +
  `an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '${label}')`;
const subdomainWords =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and " +
  `end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${subdomain}')`;
const qualified = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const qualifiedPattern = new RegExp(`^${qualified}$`);

function tooLong(length: number): string {
  return `must be no more than ${length} bytes`;
}

/** What is wrong with the text; nothing when it is a single DNS label. */
export function labelFaults(text: string): string[] {
  return [...(text.length > 63 ? [tooLong(63)] : []), ...(labelPattern.test(text) ? [] : [labelWords])];
}

export function subdomainFaults(text: string): string[] {
  return [...(text.length > 253 ? [tooLong(253)] : []), ...(subdomainPattern.test(text) ? [] : [subdomainWords])];
}

/** Keys of labels and annotations: an optional domain, a slash, and a name. */
export function qualifiedNameFaults(text: string): string[] {
  const [first = "", second, ...more] = text.split("/");
  if (more.length > 0) {
    return [
      `a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an ` +
        `alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${qualified}') ` +
        "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
    ];
  }
  const name = second ?? first;
  const prefix = second === undefined ? undefined : first;
  const faults: string[] = [];
  if (prefix === "") faults.push("prefix part must be non-empty");
  else if (prefix !== undefined) faults.push(...subdomainFaults(prefix).map((fault) => `prefix part ${fault}`));
  if (name === "") faults.push("name part must be non-empty");
  else if (name.length > 63) faults.push(`name part ${tooLong(63)}`);
  if (!qualifiedPattern.test(name)) {
    faults.push(
      "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric " +
        `character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${qualified}')`,
    );
  }
  return faults;
}

export function labelValueFaults(text: string): string[] {
  const pattern = `(${qualified})?`;
  if (text.length > 63) return [tooLong(63)];
  if (text === "" || qualifiedPattern.test(text)) return [];
  return [
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end " +
      "with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is " +
      `'${pattern}')`,
  ];
}

export function configKeyFaults(text: string): string[] {
  const faults = text.length > 253 ? [tooLong(253)] : [];
  if (!/^[-._a-zA-Z0-9]+$/.test(text)) {
    faults.push(
      "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or " +
        "'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
    );
  }
  if (text === ".") faults.push("must not be '.'");
  else if (text === "..") faults.push("must not be '..'");
  else if (text.startsWith("..")) faults.push("must not start with '..'");
  return faults;
}

export function portNameFaults(text: string): string[] {
  const faults: string[] = [];
  if (text.length > 15) faults.push("must be no more than 15 characters");
  if (!/^[-a-z0-9]*$/.test(text)) faults.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  if (!/[a-z]/.test(text)) faults.push("must contain at least one letter (a-z)");
  if (text.includes("--")) faults.push("must not contain consecutive hyphens");
  if (text !== "" && (text.startsWith("-") || text.endsWith("-"))) {
    faults.push("must not begin or end with a hyphen");
  }
  return faults;
}

export function portNumberFaults(port: number): string[] {
  return Number.isInteger(port) && port >= 1 && port <= 65_535 ? [] : ["must be between 1 and 65535, inclusive"];
}

export function faultProblems(path: string, value: unknown, faults: readonly string[]): Problem[] {
  return faults.map((fault) => invalid(path, value, fault));
}
