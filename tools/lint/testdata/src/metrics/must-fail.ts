// This file breaks every rule of ours on purpose: tools/lint/rooms.test.ts fails when the linter stays silent.
import { something } from "#kube";
import { other } from "../lib/index.ts";

export const broken = [something, other, Math.random()];
