"use client";

import clsx from "clsx";
import { Check, ChevronsUpDown, Search } from "lucide-react";
import { useId, useMemo, useState, type KeyboardEvent } from "react";

import { fold } from "@/tasks/task";
import { zones } from "@/time/zone";
import { inputClass } from "@/ui/field";
import { Popover } from "@/ui/popover";

import { findZones, zoneName } from "./zones";

type Props = { value: string; error?: string; hint: string; onChange: (zone: string) => void };

/** A time zone, chosen from all by a few letters; the browser's own comes first. */
export function ZoneField({ value, error, hint, onChange }: Props) {
  const id = useId();
  const [open, setOpen] = useState(false);
  const choose = (zone: string) => {
    setOpen(false);
    if (zone !== value) onChange(zone);
  };
  return (
    <div className="space-y-1.5">
      <p id={id} className="text-sm font-medium">
        Time zone
      </p>
      <Popover
        open={open}
        onOpen={setOpen}
        label="Choose a time zone"
        trigger={
          <button
            type="button"
            aria-labelledby={`${id} ${id}-value`}
            aria-describedby={`${id}-note`}
            className={clsx(inputClass, "flex h-10 items-center justify-between text-left pointer-coarse:h-11")}
          >
            <span id={`${id}-value`} className="truncate">
              {zoneName(value)}
            </span>
            <ChevronsUpDown className="size-4 shrink-0 text-muted" aria-hidden />
          </button>
        }
      >
        <ZoneList value={value} onChoose={choose} />
      </Popover>
      <p
        id={`${id}-note`}
        role={error ? "alert" : undefined}
        className={clsx("text-[0.8125rem]", error ? "text-danger" : "text-muted")}
      >
        {error ?? hint}
      </p>
    </div>
  );
}

function ZoneList({ value, onChoose }: { value: string; onChoose: (zone: string) => void }) {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const list = useId();
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const found = useMemo(() => findZones(zones(), fold(text), [here, value]), [text, here, value]);
  const onKeyDown = (event: KeyboardEvent) => {
    const zone = found[at];
    if (event.key === "Enter" && zone && !event.nativeEvent.isComposing) return onChoose(zone);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined || found.length === 0) return;
    event.preventDefault();
    setAt((at + step + found.length) % found.length);
  };
  return (
    <div className="w-[min(24rem,calc(100vw-2rem))]">
      <div className="flex items-center gap-2.5 border-b border-line px-3">
        <Search className="size-4 shrink-0 text-muted" aria-hidden />
        <input
          autoFocus
          role="combobox"
          aria-expanded
          aria-controls={list}
          aria-activedescendant={found[at] && `${list}-${at}`}
          aria-label="Find a time zone"
          placeholder="A city or region"
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setAt(0);
          }}
          onKeyDown={onKeyDown}
          className="h-11 w-full bg-transparent text-sm outline-none pointer-coarse:text-base"
        />
      </div>
      <ul id={list} role="listbox" aria-label="Time zones" className="max-h-64 overflow-y-auto p-1">
        {found.map((zone, index) => (
          <li
            key={zone}
            id={`${list}-${index}`}
            role="option"
            aria-selected={index === at}
            ref={(element) => {
              if (index === at) element?.scrollIntoView({ block: "nearest" });
            }}
            onPointerMove={() => setAt(index)}
            onClick={() => onChoose(zone)}
            className={clsx(
              "flex h-9 cursor-pointer items-center gap-2 rounded-lg px-2.5 text-sm pointer-coarse:h-11",
              index === at && "bg-accent-soft",
            )}
          >
            <span className="truncate">{zoneName(zone)}</span>
            {zone === here && <span className="shrink-0 text-xs text-muted">this browser</span>}
            {zone === value && <Check className="ml-auto size-4 shrink-0 text-accent-ink" aria-label="chosen" />}
          </li>
        ))}
        {found.length === 0 && <li className="px-3 py-6 text-center text-sm text-muted">No zone is called that.</li>}
      </ul>
    </div>
  );
}
