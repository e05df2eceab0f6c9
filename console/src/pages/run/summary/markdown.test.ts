import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { markdownHtml } from "./markdown.ts";

const cases: readonly [name: string, markdown: string, html: string][] = [
  ["headings and paragraphs", "## Coverage ##\n\none\ntwo", "<h2>Coverage</h2>\n<p>one\ntwo</p>"],
  ["emphasis", "**bold** *soft* ~~gone~~ a_b_c", "<p><strong>bold</strong> <em>soft</em> <del>gone</del> a_b_c</p>"],
  ["code keeps what it is", "`a < b` and `**x**`", "<p><code>a &lt; b</code> and <code>**x**</code></p>"],
  ["fences", "```sh\nnpm <test>\n```\nafter", "<pre><code>npm &lt;test&gt;</code></pre>\n<p>after</p>"],
  ["a fence that nothing closes", "~~~\nrest", "<pre><code>rest</code></pre>"],
  [
    "tables",
    "| a | b |\n|:--|--:|\n| `x|y` | 1\\|2 |\n| only |",
    '<table><thead><tr><th align="left">a</th><th align="right">b</th></tr></thead><tbody>' +
      '<tr><td align="left">`x</td><td align="right">y`</td></tr><tr><td align="left">only</td><td align="right"></td></tr>' +
      "</tbody></table>",
  ],
  ["lists with tasks", "- [x] done\n- [ ] not\n", "<ul><li>☑ done</li><li>☐ not</li></ul>"],
  ["lists in lists", "1. one\n   - inner\n2. two", "<ol><li>one<ul><li>inner</li></ul></li><li>two</li></ol>"],
  ["quotes", "> a\n> b", "<blockquote><p>a\nb</p></blockquote>"],
  ["rules", "a\n\n---\n", "<p>a</p>\n<hr>"],
  ["links", "[t](https://a.b/c?d=1&e)", '<p><a href="https://a.b/c?d=1&amp;e">t</a></p>'],
  ["pictures are links", "![shot](http://a/b.png)", '<p><a href="http://a/b.png">shot</a></p>'],
  ["bare addresses", "see https://a.b/c.", '<p>see <a href="https://a.b/c">https://a.b/c</a>.</p>'],
  [
    "HTML stays until a blank line",
    "<table>\n<tr><td>**x**</td></tr>\n</table>\n\n**y**",
    "<table>\n<tr><td>**x**</td></tr>\n</table>\n<p><strong>y</strong></p>",
  ],
  ["literals", "\\*no\\* 2 * 3 * 4", "<p>*no* 2 * 3 * 4</p>"],
  ["names of emoji", ":white_check_mark: 10:30: :nope:", "<p>✅ 10:30: :nope:</p>"],
];
for (const [name, markdown, html] of cases) {
  test(`Markdown: ${name}`, () => assert.equal(markdownHtml(markdown), html));
}

test("any text becomes something, and what is deep does not overflow", () => {
  const part = fc.constantFrom(
    "#",
    "- ",
    "> ",
    "|",
    "-|-",
    "`",
    "```",
    "*",
    "**",
    "_",
    "[",
    "](",
    ")",
    "<b>",
    "\n",
    "  ",
    "x",
    "1. ",
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 60 }), (parts) => typeof markdownHtml(parts.join("")) === "string"),
  );
  assert.equal(typeof markdownHtml("> ".repeat(5000)), "string");
  assert.equal(typeof markdownHtml("- ".repeat(5000)), "string");
});
