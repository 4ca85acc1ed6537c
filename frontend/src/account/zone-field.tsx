"use client";

import clsx from "clsx";
import { Check, ChevronsUpDown } from "lucide-react";
import { useId, useMemo, useState } from "react";

import { fold } from "@/tasks/task";
import { zones } from "@/time/zone";
import { inputClass, Note } from "@/ui/field";
import { Finder } from "@/ui/finder";
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
      <Note id={`${id}-note`} hint={hint} error={error} />
    </div>
  );
}

function ZoneList({ value, onChoose }: { value: string; onChoose: (zone: string) => void }) {
  const [text, setText] = useState("");
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const found = useMemo(() => findZones(zones(), fold(text), [here, value]), [text, here, value]);
  return (
    <div className="w-[min(24rem,calc(100vw-2rem))]">
      <Finder
        label="Find a time zone"
        placeholder="A city or region"
        text={text}
        onText={setText}
        listLabel="Time zones"
        choices={found}
        keyOf={(zone) => zone}
        onPick={onChoose}
        none="No zone is called that."
      >
        {(zone) => (
          <>
            <span className="truncate">{zoneName(zone)}</span>
            {zone === here && <span className="shrink-0 text-xs text-muted">this browser</span>}
            {zone === value && <Check className="ml-auto size-4 shrink-0 text-accent-ink" aria-label="chosen" />}
          </>
        )}
      </Finder>
    </div>
  );
}
