"use client";

import { CloudOff, TriangleAlert } from "lucide-react";
import dynamic from "next/dynamic";
import { useEffect, useState } from "react";

import { useLive } from "@/live/store";
import { useOutbox } from "@/queue/outbox";
import { useAway } from "@/queue/use-away";
import { moment } from "@/time/words";
import { Button } from "@/ui/button";

const Refusals = dynamic(() => import("./refusals").then(({ Refusals }) => Refusals), { ssr: false });

/** How long the server is away before it is said, in milliseconds: a short break is no news. */
const PATIENCE = 600;

/** Says above every page that the server cannot be reached, and what it refused. */
export function Connection() {
  const { asOf, zone } = useLive();
  const { waiting, refused } = useOutbox();
  const away = useLasting(useAway());
  const [open, setOpen] = useState(false);
  return (
    <>
      <div role="status" aria-live="polite" className="shrink-0 text-[0.8125rem]">
        {away && (
          <p className="flex animate-fade flex-wrap items-center justify-center gap-x-2 border-b border-line bg-sunken px-4 py-1.5 text-muted">
            <CloudOff className="size-4 shrink-0" aria-hidden />
            <span className="font-medium text-ink">Offline, changes are kept</span>
            {waiting > 0 && <span className="tabular-nums">· {waiting} to send</span>}
            {asOf !== undefined && <span>· as of {moment(asOf, zone)}</span>}
          </p>
        )}
        {refused.length > 0 && (
          <p className="flex animate-fade flex-wrap items-center justify-center gap-x-3 border-b border-line bg-warning-soft px-4 py-1 text-warning">
            <span className="flex items-center gap-2 font-medium">
              <TriangleAlert className="size-4 shrink-0" aria-hidden />
              {refused.length === 1 ? "1 change was refused" : `${refused.length} changes were refused`}
            </span>
            <Button size="sm" look="ghost" className="h-7 text-warning underline" onClick={() => setOpen(true)}>
              Show
            </Button>
          </p>
        )}
      </div>
      {open && <Refusals onClose={() => setOpen(false)} />}
    </>
  );
}

/** True when it has been so for a while. */
function useLasting(now: boolean) {
  const [lasting, setLasting] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLasting(now), now ? PATIENCE : 0);
    return () => clearTimeout(timer);
  }, [now]);
  return lasting && now;
}
