/** Tidegate's own lint rules: what no general rule can know about this code base. */
import { definePlugin } from "@oxlint/plugins";
import { roomsRule } from "./rooms-rule.ts";
import { wallClockRule } from "./wall-clock-rule.ts";

export default definePlugin({
  meta: { name: "tidegate" },
  rules: { rooms: roomsRule, "wall-clock": wallClockRule },
});
