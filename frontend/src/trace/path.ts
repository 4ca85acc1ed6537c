/** Where the decisions of a conversation are explained; with `at`, when it was said in milliseconds, that one is open. */
export function tracePath(conversation: string, at?: number): string {
  const query = new URLSearchParams({ conversation });
  if (at !== undefined) query.set("at", String(at));
  return `/trace?${query}`;
}
