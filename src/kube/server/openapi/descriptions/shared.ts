/** What several tables of descriptions are made of. Texts stay within ASCII: documents are kept as strings of one byte a letter. */

/** Name of a type in its package -> field -> one sentence; under "" is what is said of the type itself. */
export type Descriptions = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** The types by their whole names, as the schemas call them. */
export function inPackage(name: string, types: Descriptions): Descriptions {
  return Object.fromEntries(Object.entries(types).map(([type, texts]) => [`${name}.${type}`, texts]));
}

/** Fields that conditions of all kinds have; some have more. */
export const conditionFields = {
  type: "Which question the condition answers.",
  status: "The answer: True, False or Unknown.",
  reason: "The cause in one word, for programs.",
  message: "The cause in a sentence, for people.",
  lastTransitionTime: "When the status last became another.",
} as const;

export const labelSelectorText = "Which pods are meant, by their labels.";
