/** Container images: of jobs, of services, of steps and of Docker actions. */
import type { Position, YamlNode } from "#workflows";
import type { LintDocument, LintJob } from "../document.ts";
import { expressionsIn, literalOf, outcomesOf, pathOf } from "../expressions.ts";
import type { Rule } from "../finding.ts";
import { itemsOf, nodeAt, pairsOf, textOf, textsOf } from "../tree.ts";
import { parseImage, type ImageReference } from "../uses.ts";

interface PlacedImage {
  readonly at: Position;
  readonly text: string;
  /** Undefined when only the run knows it. */
  readonly image: ImageReference | undefined;
}

function imagesOf(document: LintDocument): readonly PlacedImage[] {
  const ofJobs = document.jobs.flatMap((job) => {
    const container = nodeAt(job.node, "container");
    const services = pairsOf(nodeAt(job.node, "services")).map((pair) => pair.value);
    return [container, ...services].flatMap((owner) => {
      const node = owner?.kind === "scalar" ? owner : nodeAt(owner, "image");
      return node === undefined ? [] : imagesIn(document, node, job);
    });
  });
  const owned = [nodeAt(document.root, "runs", "image"), ...document.steps.map((step) => nodeAt(step.node, "uses"))];
  const named = owned.flatMap((node) =>
    node !== undefined && textOf(node)?.startsWith("docker://") === true ? imagesIn(document, node) : [],
  );
  return [...ofJobs, ...named];
}

/** Those an expression chooses among, too. */
function imagesIn(document: LintDocument, node: YamlNode, job?: LintJob): readonly PlacedImage[] {
  const image = (text: string): PlacedImage[] =>
    text === "" ? [] : [{ at: node.start, text, image: parseImage(text.replace(/^docker:\/\//, "")) }];
  const written = textOf(node) ?? "";
  if (!written.includes("${{")) return image(written);
  const [only, ...more] = expressionsIn(document, node);
  if (only?.tree === undefined || more.length > 0 || !/^\$\{\{[^]*\}\}$/.test(written.trim())) return [];
  return outcomesOf(only.tree).flatMap((outcome) => {
    const text = literalOf(outcome);
    if (text !== undefined) return image(text);
    const key = /^matrix\.([\w-]+)$/.exec(pathOf(outcome) ?? "")?.[1];
    const values = key === undefined ? [] : matrixTexts(job, key);
    if (values.length > 0 && values.every((value) => !value.includes("${{"))) return values.flatMap(image);
    return [{ at: node.start, text: written.trim(), image: undefined }];
  });
}

function matrixTexts(job: LintJob | undefined, key: string): readonly string[] {
  const matrix = nodeAt(job?.node, "strategy", "matrix");
  return [nodeAt(matrix, key), ...itemsOf(nodeAt(matrix, "include")).map((item) => nodeAt(item, key))].flatMap(textsOf);
}

export const unpinnedImages: Rule = {
  name: "unpinned-images",
  summary: "A container image that can change without a commit here",
  severity: "warning",
  kinds: ["workflow", "action"],
  *check(document) {
    for (const { at, text, image } of imagesOf(document)) {
      if (image === undefined) {
        const message = `"${text}" may be an image that can be moved by its owner. Have it name a digest`;
        yield { at, severity: "note", pedantic: true, message };
        continue;
      }
      if (image.digest !== undefined) continue;
      if (image.tag === undefined || image.tag === "latest") {
        yield { at, message: `Image "${text}" is whatever is newest. Name a version, better with @sha256:…` };
      } else {
        yield {
          at,
          severity: "note",
          pedantic: true,
          message: `Image "${text}" can be moved by its owner. Add @sha256:…`,
        };
      }
    }
  },
};
