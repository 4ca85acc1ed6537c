"use client";

import clsx from "clsx";

import { length } from "@/tasks/task";

import { useDraft } from "./use-draft";

const LONGEST_TITLE = 200;
const LONGEST_DESCRIPTION = 2_000;

const plain =
  "field-sizing-content -mx-2 block w-[calc(100%+1rem)] resize-none rounded-lg bg-transparent px-2 py-1 transition hover:bg-hover focus:bg-transparent";

type Props = { /** Of what is typed. */ name: string; value: string; onSave: (value: string) => void };

export function TitleField({ name, value, onSave }: Props) {
  const fits = (title: string) => title.trim() !== "" && length(title.trim()) <= LONGEST_TITLE;
  const draft = useDraft(name, value, fits, (title) => onSave(title.trim()));
  const count = length(draft.value.trim());
  return (
    <div>
      <textarea
        aria-label="Title"
        rows={1}
        value={draft.value}
        aria-invalid={count === 0 || count > LONGEST_TITLE}
        onChange={(event) => draft.onChange(event.target.value.replaceAll("\n", " "))}
        onBlur={draft.onBlur}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || event.nativeEvent.isComposing) return;
          event.preventDefault();
          event.currentTarget.blur();
        }}
        className={clsx(plain, "text-xl leading-snug font-semibold tracking-tight")}
      />
      {count === 0 && <Problem>A task needs a title.</Problem>}
      {count > LONGEST_TITLE && <Problem>{`${count} of at most ${LONGEST_TITLE} characters`}</Problem>}
    </div>
  );
}

export function DescriptionField({ name, value, onSave }: Props) {
  const draft = useDraft(name, value, (text) => length(text) <= LONGEST_DESCRIPTION, onSave);
  const count = length(draft.value);
  return (
    <div>
      <textarea
        aria-label="Description"
        aria-describedby="description-count"
        placeholder="Add a description"
        rows={2}
        value={draft.value}
        aria-invalid={count > LONGEST_DESCRIPTION}
        onChange={(event) => draft.onChange(event.target.value)}
        onBlur={draft.onBlur}
        className={clsx(plain, "max-h-80 overflow-y-auto text-[0.9375rem]")}
      />
      <p
        id="description-count"
        className={clsx("text-right text-xs tabular-nums", count > LONGEST_DESCRIPTION ? "text-danger" : "text-muted")}
      >
        {count.toLocaleString()} / {LONGEST_DESCRIPTION.toLocaleString()}
      </p>
    </div>
  );
}

function Problem({ children }: { children: string }) {
  return (
    <p role="alert" className="text-xs text-danger">
      {children}
    </p>
  );
}
