import { pieces } from "@/tasks/highlight";

/** A text in which what matches a search is marked. */
export function Highlight({ text, search }: { text: string; search: string }) {
  if (!search) return text;
  return pieces(text, search).map((piece, index) => (index % 2 ? <mark key={index}>{piece}</mark> : piece));
}
