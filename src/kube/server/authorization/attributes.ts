/** What a request wants to do, as authorization sees it. Pure. */

export interface ResourceAttributes {
  readonly kind: "resource";
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  /** "" for the resource itself. */
  readonly subresource: string;
  /** "" for all namespaces, and for what belongs to none. */
  readonly namespace: string;
  /** "" for collections. */
  readonly name: string;
}

interface PathAttributes {
  readonly kind: "path";
  /** The method in lower case. */
  readonly verb: string;
  readonly path: string;
}

export type Attributes = ResourceAttributes | PathAttributes;
