"use client";

import clsx from "clsx";
import { Search } from "lucide-react";
import { useId, useState, type KeyboardEvent, type ReactNode } from "react";

type Props<T> = {
  /** What the line is for. */
  label: string;
  placeholder: string;
  text: string;
  onText: (text: string) => void;
  /** What the choices are. */
  listLabel: string;
  choices: readonly T[];
  keyOf: (choice: T) => string;
  onPick: (choice: T) => void;
  /** Said when there are none. */
  none: string;
  /** For a dialog of its own. */
  roomy?: boolean;
  /** What a choice shows. */
  children: (choice: T) => ReactNode;
};

/** Chooses from what is found by a few letters, with arrows and Enter or by a click. */
export function Finder<T>(props: Props<T>) {
  const { label, placeholder, text, onText, listLabel, choices, keyOf, onPick, none, roomy, children } = props;
  const [at, setAt] = useState(0);
  const list = useId();
  const onKeyDown = (event: KeyboardEvent) => {
    const choice = choices[at];
    if (event.key === "Enter" && choice && !event.nativeEvent.isComposing) return onPick(choice);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined || choices.length === 0) return;
    event.preventDefault();
    setAt((at + step + choices.length) % choices.length);
  };
  return (
    <>
      <div className={clsx("flex items-center border-b border-line", roomy ? "gap-3 px-4" : "gap-2.5 px-3")}>
        <Search className={clsx("shrink-0 text-muted", roomy ? "size-5" : "size-4")} aria-hidden />
        <input
          autoFocus
          role="combobox"
          aria-expanded
          aria-controls={list}
          aria-activedescendant={choices[at] && `${list}-${at}`}
          aria-label={label}
          placeholder={placeholder}
          value={text}
          onChange={(event) => {
            onText(event.target.value);
            setAt(0);
          }}
          onKeyDown={onKeyDown}
          className={clsx(
            "w-full bg-transparent outline-none",
            roomy ? "h-13 text-base" : "h-11 text-sm pointer-coarse:text-base",
          )}
        />
      </div>
      <ul
        id={list}
        role="listbox"
        aria-label={listLabel}
        className={clsx("overflow-y-auto", roomy ? "max-h-[56vh] p-2" : "max-h-64 p-1")}
      >
        {choices.map((choice, index) => (
          <li
            key={keyOf(choice)}
            id={`${list}-${index}`}
            role="option"
            aria-selected={index === at}
            ref={(element) => {
              if (index === at) element?.scrollIntoView({ block: "nearest" });
            }}
            onPointerMove={() => setAt(index)}
            onClick={() => onPick(choice)}
            className={clsx(
              "flex cursor-pointer items-center rounded-lg text-sm pointer-coarse:h-11",
              roomy ? "h-10 gap-3 px-3" : "h-9 gap-2 px-2.5",
              index === at && "bg-accent-soft",
            )}
          >
            {children(choice)}
          </li>
        ))}
        {choices.length === 0 && <li className="px-3 py-6 text-center text-sm text-muted">{none}</li>}
      </ul>
    </>
  );
}
