/** The path of this page that a query's `next` names; the tasks if it names none of ours. */
export function returnPath(query: string): string {
  const next = new URLSearchParams(query).get("next") ?? "";
  return /^\/(?![/\\])/.test(next) ? next : "/tasks";
}

/** The address of the page to sign in at and come back from. */
export function signInPath(path: string): string {
  return `/signin?next=${encodeURIComponent(path)}`;
}
