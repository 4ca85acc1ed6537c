"use client";

import { Maximize2, SquarePen, X } from "lucide-react";
import Link from "next/link";
import { useState } from "react";

import { IconButton } from "@/ui/button";

import { NEW, useChats } from "./store";
import { Talk } from "./talk";

/** What was last talked in beside the list, for when it is opened again. */
let last = NEW;

/** The chat beside the task list. */
export function Beside({ onClose }: { onClose: () => void }) {
  const { conversations, threads } = useChats();
  const [id, setId] = useState(threads.has(last) ? last : NEW);
  const show = (next: string) => {
    last = next;
    setId(next);
  };
  return (
    <aside aria-label="Chat" className="flex w-[24rem] shrink-0 animate-slide flex-col border-l border-line bg-canvas">
      <header className="flex h-14 shrink-0 items-center gap-1 px-4">
        <h2 className="mr-auto truncate font-semibold">
          {conversations?.find((one) => one.id === id)?.title ?? "Chat"}
        </h2>
        <IconButton label="New chat" onClick={() => show(NEW)}>
          <SquarePen />
        </IconButton>
        <Link
          href={id === NEW ? "/chat" : `/chat?id=${id}`}
          prefetch={false}
          aria-label="Open as a page"
          className="flex size-8 items-center justify-center rounded-lg text-muted hover:bg-hover hover:text-ink"
        >
          <Maximize2 className="size-4" />
        </Link>
        <IconButton label="Close" onClick={onClose}>
          <X />
        </IconButton>
      </header>
      <Talk id={id} onBegun={show} />
    </aside>
  );
}
