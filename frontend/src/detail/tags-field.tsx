"use client";

import { useState } from "react";

import { useCounts } from "@/shell/counts";
import { fold, length } from "@/tasks/task";
import { Chip } from "@/ui/chip";
import { inputClass } from "@/ui/field";

import { Labelled } from "./labelled";

const MOST = 10;
const LONGEST = 50;

/** Tags as chips, and a line for one more. */
export function TagsField({ tags, onSave }: { tags: string[]; onSave: (tags: string[]) => void }) {
  const [text, setText] = useState("");
  const known = useCounts().tags;
  const wanted = text.trim().replace(/^#/, "");
  const problem =
    length(wanted) > LONGEST
      ? `At most ${LONGEST} characters`
      : wanted && tags.some((tag) => fold(tag) === fold(wanted))
        ? "It has this tag already"
        : undefined;
  const add = () => {
    if (!wanted || problem) return;
    onSave([...tags, wanted]);
    setText("");
  };
  return (
    <Labelled
      label="Tags"
      aside={
        <span className="text-xs text-muted tabular-nums">
          {tags.length} / {MOST}
        </span>
      }
    >
      {tags.length > 0 && (
        <ul className="flex flex-wrap gap-1.5">
          {tags.map((tag) => (
            <li key={tag} className="min-w-0">
              <Chip
                tone="accent"
                removeLabel={`Remove ${tag}`}
                onRemove={() => onSave(tags.filter((one) => one !== tag))}
              >
                {tag}
              </Chip>
            </li>
          ))}
        </ul>
      )}
      {tags.length < MOST && (
        <input
          aria-label="Add a tag"
          placeholder="Add a tag"
          list="known-tags"
          value={text}
          onChange={(event) => setText(event.target.value)}
          onBlur={add}
          onKeyDown={(event) => {
            if (event.key === "Enter" || event.key === ",") {
              event.preventDefault();
              add();
            }
            if (event.key === "Backspace" && !text && tags.length > 0) onSave(tags.slice(0, -1));
          }}
          className={`${inputClass} h-9 text-sm pointer-coarse:h-11`}
        />
      )}
      <datalist id="known-tags">
        {known.map(({ tag }) => (
          <option key={tag} value={tag} />
        ))}
      </datalist>
      {problem && (
        <p role="alert" className="text-xs text-danger">
          {problem}
        </p>
      )}
    </Labelled>
  );
}
