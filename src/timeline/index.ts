/** One timeline: what happened, and because of what. */
export { Timeline, type TimelineQuery } from "./timeline.ts";
