/** What the policies say of one reference: pure. */
import { defaultOrder, type ActionPolicy, type ActionSource, type PinRule } from "./policy.ts";
import { isCommitId, matchesPattern, type ActionReference } from "./reference.ts";

export type Judgement =
  | { readonly kind: "allowed"; readonly sources: readonly ActionSource[]; readonly pins: PinRule }
  /** Which policy refuses it, and why. */
  | { readonly kind: "refused"; readonly reason: string };

/** Of two rules the one that allows less. */
const strictness: readonly PinRule[] = ["none", "lock", "commit"];

/**
 * @param policies the installation's first: a later one may choose among what those before it leave, and can allow
 *   nothing that they do not
 */
export function judgeAction(reference: ActionReference, policies: readonly ActionPolicy[]): Judgement {
  let sources: readonly ActionSource[] = defaultOrder;
  let pins: PinRule = "none";
  for (const policy of policies) {
    const denied = policy.deny.find((pattern) => matchesPattern(pattern, reference));
    if (denied !== undefined) return { kind: "refused", reason: `${policy.file} denies "${denied}"` };
    if (policy.allow !== undefined && !policy.allow.some((pattern) => matchesPattern(pattern, reference))) {
      const allowed = policy.allow.length === 0 ? "nothing" : `only ${policy.allow.join(", ")}`;
      return { kind: "refused", reason: `${policy.file} allows ${allowed}` };
    }
    const before = sources;
    sources = (orderFor(reference, policy) ?? before).filter((source) => before.includes(source));
    if (sources.length === 0) return { kind: "refused", reason: `${policy.file} leaves no source for it` };
    if (strictness.indexOf(policy.pins) > strictness.indexOf(pins)) pins = policy.pins;
  }
  return { kind: "allowed", sources, pins };
}

function orderFor(reference: ActionReference, policy: ActionPolicy): readonly ActionSource[] | undefined {
  return policy.overrides.find(({ pattern }) => matchesPattern(pattern, reference))?.order ?? policy.order;
}

/** Why the reference is not pinned as the rule wants it; code of our own needs no pin. */
export function pinProblem(reference: ActionReference, pins: PinRule, locked: boolean): string | undefined {
  if (pins === "none" || isCommitId(reference.ref) || (pins === "lock" && locked)) return undefined;
  return pins === "commit"
    ? `the policy wants a whole commit after the @, not "${reference.ref}"`
    : `the policy wants it in .tidegate/actions.lock, and it is not: write it there with "tidegate actions lock"`;
}
