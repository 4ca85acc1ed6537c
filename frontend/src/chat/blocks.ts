/** The little that replies use: paragraphs with line breaks, and lists. */
export type Block =
  | { kind: "text"; lines: string[] }
  | { kind: "bullets"; lines: string[] }
  | { kind: "numbers"; start: number; lines: string[] };

export function blocks(text: string): Block[] {
  const found: Block[] = [];
  let apart = true;
  for (const line of text.split("\n")) {
    if (!line.trim()) {
      apart = true;
      continue;
    }
    const next = blockOf(line);
    const last = found.at(-1);
    if (last?.kind === next.kind && (!apart || next.kind !== "text")) last.lines.push(...next.lines);
    else found.push(next);
    apart = false;
  }
  return found;
}

function blockOf(line: string): Block {
  const bullet = /^\s*[-*•]\s+(.+)$/.exec(line)?.[1];
  if (bullet) return { kind: "bullets", lines: [bullet] };
  const [, start, item] = /^\s*(\d{1,3})[.)]\s+(.+)$/.exec(line) ?? [];
  if (start && item) return { kind: "numbers", start: Number(start), lines: [item] };
  return { kind: "text", lines: [line] };
}

/** A line's pieces; every second one, from the second on, is bold. */
export const pieces = (line: string) => line.split(/\*\*(?=\S)(.+?)(?<=\S)\*\*/);
