/**
 * Time and chance enter through `src/lib/clock.ts` and `src/lib/ids.ts` only, so that plans stay pure and tests
 * can own time. Timers that belong to a socket are allowed in the data plane, which has a clock of its own.
 */
import { defineRule } from "@oxlint/plugins";

const bannedMembers: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ["Date", new Set(["now"])],
  ["Math", new Set(["random"])],
  ["performance", new Set(["now"])],
]);
const bannedCalls: ReadonlySet<string> = new Set(["setTimeout", "setInterval"]);

function ownsTime(file: string): boolean {
  return /\/src\/(?:lib\/(?:clock|ids)\.ts|router\/)/.test(file);
}

export const wallClockRule = defineRule({
  create(context) {
    if (ownsTime(context.filename)) return {};
    return {
      MemberExpression(node) {
        const { object, property } = node;
        if (object.type !== "Identifier" || property.type !== "Identifier") return;
        if (bannedMembers.get(object.name)?.has(property.name) !== true) return;
        context.report({
          message: `${object.name}.${property.name} is banned here: take a Clock or Ids from #lib`,
          node,
        });
      },
      NewExpression(node) {
        if (node.callee.type !== "Identifier" || node.callee.name !== "Date" || node.arguments.length > 0) return;
        context.report({ message: "new Date() is banned here: take a Clock from #lib", node });
      },
      CallExpression(node) {
        if (node.callee.type !== "Identifier" || !bannedCalls.has(node.callee.name)) return;
        context.report({
          message: `${node.callee.name} is banned here: use Clock.sleep or Clock.schedule from #lib`,
          node,
        });
      },
    };
  },
});
