/** The tree of an expression of the expr language (expr-lang.org), as far as conditions use it. `at` counts from 0. */
export type Node =
  | { readonly kind: "literal"; readonly at: number; readonly value: null | boolean | number | string }
  | { readonly kind: "name"; readonly at: number; readonly name: string }
  /** `#`, or `#index` / `#acc` inside a predicate. */
  | { readonly kind: "element"; readonly at: number; readonly name: "" | "index" | "acc" }
  | { readonly kind: "unary"; readonly at: number; readonly operator: UnaryOperator; readonly operand: Node }
  | {
      readonly kind: "binary";
      readonly at: number;
      readonly operator: BinaryOperator;
      readonly negated: boolean;
      readonly left: Node;
      readonly right: Node;
    }
  | { readonly kind: "choice"; readonly at: number; readonly condition: Node; readonly yes: Node; readonly no: Node }
  | { readonly kind: "let"; readonly at: number; readonly name: string; readonly value: Node; readonly body: Node }
  | {
      readonly kind: "member";
      readonly at: number;
      readonly object: Node;
      readonly key: Node;
      /** `?.`: nil in, nil out. */
      readonly optional: boolean;
    }
  | {
      readonly kind: "slice";
      readonly at: number;
      readonly object: Node;
      readonly from: Node | undefined;
      readonly to: Node | undefined;
    }
  | { readonly kind: "call"; readonly at: number; readonly name: string; readonly args: readonly Node[] }
  | { readonly kind: "array"; readonly at: number; readonly items: readonly Node[] }
  | { readonly kind: "map"; readonly at: number; readonly entries: readonly (readonly [Node, Node])[] };

type UnaryOperator = "not" | "-" | "+";

export type BinaryOperator =
  | "or"
  | "and"
  | "=="
  | "!="
  | "<"
  | ">"
  | "<="
  | ">="
  | "in"
  | "matches"
  | "contains"
  | "startsWith"
  | "endsWith"
  | ".."
  | "+"
  | "-"
  | "*"
  | "/"
  | "%"
  | "**"
  | "??";

/** Raised inside the parser and the evaluator, and turned into data at their doors. */
export class ExpressionFault extends Error {
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}
