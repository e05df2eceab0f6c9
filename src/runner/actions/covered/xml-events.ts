/** The tags of an XML document, one after the other: enough for reports of tools, and no more. Pure. */

export type XmlEvent =
  | { readonly kind: "open"; readonly name: string; readonly attributes: Readonly<Record<string, string>> }
  | { readonly kind: "close"; readonly name: string }
  | { readonly kind: "text"; readonly text: string };

const tag =
  /<(?:!--[^]*?-->|!\[CDATA\[([^]*?)\]\]>|\?[^]*?\?>|![^>]*>|(\/?)([\w:.-]+)((?:\s+[\w:.-]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*(\/?)>)/g;
const attribute = /([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;

/** An element without content is opened and closed. Entities of a document type are not known: there is no expansion. */
export function* xmlEvents(text: string): Generator<XmlEvent> {
  let end = 0;
  for (const match of text.matchAll(tag)) {
    const between = text.slice(end, match.index).trim();
    if (between !== "") yield { kind: "text", text: unescapeXml(between) };
    end = match.index + match[0].length;
    const [, cdata, closing, name, attributes = "", empty] = match;
    if (cdata !== undefined) yield { kind: "text", text: cdata };
    if (name === undefined) continue;
    if (closing === "/") yield { kind: "close", name };
    else {
      yield { kind: "open", name, attributes: readAttributes(attributes) };
      if (empty === "/") yield { kind: "close", name };
    }
  }
}

function readAttributes(text: string): Record<string, string> {
  const entries = [...text.matchAll(attribute)].map(([, name = "", double, single]) => [
    name,
    unescapeXml(double ?? single ?? ""),
  ]);
  return Object.fromEntries(entries) as Record<string, string>;
}

const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

export function unescapeXml(text: string): string {
  return text.replaceAll(/&(?:#x([\da-f]{1,6})|#(\d{1,7})|(\w+));/gi, (whole, hex, decimal, name: string) => {
    const code = hex === undefined ? Number(decimal) : Number.parseInt(String(hex), 16);
    if (hex !== undefined || decimal !== undefined) return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    return entities[name] ?? whole;
  });
}
