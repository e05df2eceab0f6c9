/**
 * HTML of strangers as elements of React: known tags with known attributes, and nothing else. The text is parsed as a
 * document of its own, in which no script runs and nothing is fetched; what is made of it can hold no handler and no style.
 */
import { createElement, Fragment, type ReactNode } from "react";

const shown: ReadonlySet<string> = new Set(
  (
    "a b blockquote br center code dd del details div dl dt em h1 h2 h3 h4 h5 h6 hr i ins kbd li mark ol p pre q s samp " +
    "small span strong strike sub summary sup table tbody td tfoot th thead tr u ul var"
  ).split(" "),
);
/** With what is in them. */
const dropped: ReadonlySet<string> = new Set(
  "script style iframe object embed template noscript title head svg math form input button select textarea".split(" "),
);
const childless: ReadonlySet<string> = new Set(["br", "hr"]);
const tableParts: ReadonlySet<string> = new Set(["table", "tbody", "thead", "tfoot", "tr"]);
/** Deeper than anybody writes; a browser would go on for long. */
const maxDepth = 100;

export function SafeHtml({ html }: { html: string }) {
  const { body } = new DOMParser().parseFromString(withoutHandlers(html), "text/html");
  return <>{childrenOf(body, 0)}</>;
}

/** They would never run, but the browser complains of each that it sees. */
function withoutHandlers(html: string): string {
  return html.replaceAll(/<[a-zA-Z][^<>]*>/g, (tag) =>
    tag.replaceAll(/([\s"'/])(?:on[a-z]+|style)\s*=/gi, "$1data-x="),
  );
}

function childrenOf(parent: Node, depth: number): ReactNode[] {
  return [...parent.childNodes].map((child, index) => <Fragment key={index}>{nodeOf(child, depth)}</Fragment>);
}

function nodeOf(node: Node, depth: number): ReactNode {
  if (node.nodeType === Node.TEXT_NODE) {
    // React warns of blanks between the rows of a table.
    const blank =
      tableParts.has(node.parentNode?.nodeName.toLowerCase() ?? "") && (node.textContent ?? "").trim() === "";
    return blank ? null : node.textContent;
  }
  if (!(node instanceof Element)) return null;
  const tag = node.tagName.toLowerCase();
  if (dropped.has(tag)) return null;
  if (depth > maxDepth) return node.textContent;
  // A picture would be fetched from elsewhere; what it shows is said instead.
  if (tag === "img") return linkTo(node.getAttribute("src"), node.getAttribute("alt") ?? "picture");
  const inner = childless.has(tag) ? undefined : childrenOf(node, depth + 1);
  if (tag === "a") return linkTo(node.getAttribute("href"), inner);
  return shown.has(tag) ? createElement(tag, attributesOf(node, tag), inner) : inner;
}

function linkTo(address: string | null, inner: ReactNode): ReactNode {
  const url = address !== null && URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !["http:", "https:", "mailto:"].includes(url.protocol)) return inner;
  return (
    <a href={url.href} target="_blank" rel="noopener noreferrer nofollow">
      {inner}
    </a>
  );
}

function attributesOf(element: Element, tag: string): Record<string, string | number | boolean> {
  const attributes: Record<string, string | number | boolean> = {};
  const align = element.getAttribute("align")?.toLowerCase();
  if (align !== undefined && ["left", "right", "center"].includes(align)) attributes["data-align"] = align;
  if (tag === "td" || tag === "th") {
    for (const [name, key] of [
      ["colspan", "colSpan"],
      ["rowspan", "rowSpan"],
    ] as const) {
      const count = Number(element.getAttribute(name));
      if (Number.isInteger(count) && count >= 1 && count <= 1000) attributes[key] = count;
    }
  }
  if (tag === "details" && element.hasAttribute("open")) attributes["open"] = true;
  return attributes;
}
