/** What the other files share: the moment all times are counted from, and ids. */

const start = Date.now();

/** RFC 3339, so many seconds before now. */
export function ago(seconds: number): string {
  return new Date(start - seconds * 1000).toISOString();
}

export const shas = [
  "9f2c41d7a80be6531c2f90d4471ab85e0c3d7f12",
  "4be07a6d1f93c8520e7ad64b9c15f38207ed64a9",
  "c1d85e3370fa2946bb70e8d5124f6a9083bc57e1",
];
export const digest = `sha256:${"3fa9c04be17d".repeat(6).slice(0, 64)}`;
