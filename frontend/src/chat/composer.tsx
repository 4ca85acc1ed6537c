"use client";

import clsx from "clsx";
import { ArrowUp } from "lucide-react";
import { useState, type KeyboardEvent, type RefObject } from "react";

import { length } from "@/tasks/task";

const LONGEST = 32_000;

type Props = { input: RefObject<HTMLTextAreaElement | null>; busy: boolean; onSend: (text: string) => void };

/** Where messages are written: Enter sends, Shift+Enter begins a line. */
export function Composer({ input, busy, onSend }: Props) {
  const [text, setText] = useState("");
  const over = length(text) - LONGEST;
  const ready = !busy && text.trim() !== "" && over <= 0;
  const submit = () => {
    if (!ready) return;
    setText("");
    onSend(text.trim());
  };
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.key === "Escape") event.currentTarget.blur();
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    submit();
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        submit();
        input.current?.focus();
      }}
      className="flex items-end gap-2 rounded-2xl border border-edge/40 bg-surface p-1.5 pl-4 shadow-sm transition focus-within:border-accent-ink"
    >
      <textarea
        ref={input}
        rows={1}
        value={text}
        aria-label="Message"
        aria-invalid={over > 0 || undefined}
        placeholder="Say what is to be done"
        onChange={(event) => setText(event.target.value)}
        onKeyDown={onKeyDown}
        className="field-sizing-content max-h-48 min-h-6 flex-1 resize-none self-center bg-transparent py-1.5 text-base leading-6 outline-none"
      />
      {over > 0 && (
        <p role="alert" className="py-2 text-xs text-danger">
          {over} too many
        </p>
      )}
      <button
        type="submit"
        aria-label="Send"
        aria-disabled={!ready}
        className={clsx(
          "flex size-9 shrink-0 items-center justify-center rounded-xl transition pointer-coarse:size-11",
          ready ? "bg-linear-to-r from-accent to-accent-2 text-white" : "bg-sunken text-muted",
        )}
      >
        <ArrowUp className="size-5" />
      </button>
    </form>
  );
}
