import { blocks, pieces } from "./blocks";

/** What the assistant says, with its lists and line breaks. */
export function Markdown({ text }: { text: string }) {
  return (
    <div className="space-y-2 break-words">
      {blocks(text).map((block, index) => {
        const lines = block.lines.map((line, at) => (
          <Line key={at} line={line} as={block.kind === "text" ? "span" : "li"} />
        ));
        if (block.kind === "numbers")
          return (
            <ol key={index} start={block.start} className="list-decimal space-y-1 pl-7 marker:text-muted">
              {lines}
            </ol>
          );
        if (block.kind === "bullets")
          return (
            <ul key={index} className="list-disc space-y-1 pl-5 marker:text-muted">
              {lines}
            </ul>
          );
        return <p key={index}>{lines}</p>;
      })}
    </div>
  );
}

function Line({ line, as: Tag }: { line: string; as: "span" | "li" }) {
  return (
    <Tag className={Tag === "span" ? "block" : undefined}>
      {pieces(line).map((piece, index) => (index % 2 ? <strong key={index}>{piece}</strong> : piece))}
    </Tag>
  );
}
