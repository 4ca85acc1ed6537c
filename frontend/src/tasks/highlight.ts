/** Cuts a text where it matches a search, which is case-insensitive. Odd pieces match. */
export function pieces(text: string, search: string): string[] {
  const wanted = search.trim();
  if (!wanted) return [text];
  return text.split(new RegExp(`(${wanted.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")})`, "giu"));
}
