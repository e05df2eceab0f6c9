const alias = /(^|[\s,[{:-])\*[\w-]/m;

/** Whether the YAML may hold an alias, which lets a short file be a large one. Says so of some files that hold none. */
export function hasAlias(text: string): boolean {
  return alias.test(text);
}
