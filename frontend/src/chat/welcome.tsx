import { MessageCircle } from "lucide-react";

import { EmptyState } from "@/ui/empty";

const examples = [
  "pay rent every 1st at 9am #home !high, remind me 1 hour before",
  "what's due this week?",
  "call mom tomorrow at 5pm #family",
  "what did I finish yesterday?",
];

/** What can be said; a click says it. */
export function Welcome({ onSay }: { onSay: (text: string) => void }) {
  return (
    <>
      <EmptyState icon={MessageCircle} title="Talk about your tasks">
        <p>
          Add, find, change, finish and delete by saying so. Whatever is deleted is asked first, and “undo” takes the
          last change back.
        </p>
      </EmptyState>
      <ul aria-label="Examples" className="mx-auto -mt-8 grid max-w-md gap-2 px-3 pb-8">
        {examples.map((example) => (
          <li key={example}>
            <button
              type="button"
              onClick={() => onSay(example)}
              className="min-h-11 w-full rounded-xl border border-line bg-surface px-4 py-2.5 text-left text-sm hover:bg-hover"
            >
              {example}
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}
