"use client";

import { Menu as MenuIcon } from "lucide-react";
import { useEffect, type ReactNode } from "react";

import { AllowButton } from "@/notify/allow";
import { IconButton } from "@/ui/button";

import { Bell } from "./bell";
import { useShell } from "./shell";

/** The head of a page: its name and the bell. */
export function TopBar({ title, count, children }: { title: string; count?: number; children?: ReactNode }) {
  const { show } = useShell();
  useEffect(() => {
    document.title = `${title} · Todo`;
  }, [title]);
  return (
    <header className="mx-auto flex h-14 w-full max-w-4xl shrink-0 items-center gap-2 px-4 sm:px-6">
      <IconButton label="Navigation" onClick={() => show("sidebar")} className="-ml-2 lg:hidden">
        <MenuIcon />
      </IconButton>
      <h1 className="truncate text-lg font-semibold tracking-tight">{title}</h1>
      {count !== undefined && <span className="text-sm text-muted tabular-nums">{count}</span>}
      <div className="ml-auto flex items-center gap-1.5">
        {children}
        <AllowButton />
        <Bell />
      </div>
    </header>
  );
}
