"use client";

import dynamic from "next/dynamic";
import { createContext, useContext, useEffect, useState, type ReactNode } from "react";

import type { User } from "@/api/session";
import { useKeptPush } from "@/notify/use-push";
import { useRings } from "@/notify/use-rings";
import { worker } from "@/notify/worker";
import { Skeleton } from "@/ui/skeleton";

import { Connection } from "./connection";
import { CountsProvider } from "./counts";
import { usePreload } from "./preload";
import { useUser } from "./session";
import { useShortcuts } from "./shortcuts";
import { Sidebar } from "./sidebar";

const Sheet = dynamic(() => import("@/ui/dialog").then(({ Sheet }) => Sheet), { ssr: false });
const Help = dynamic(() => import("./help").then(({ Help }) => Help), { ssr: false });
const Palette = dynamic(() => import("./palette").then(({ Palette }) => Palette), { ssr: false });

type Open = "sidebar" | "palette" | "help";
type Context = { user: User; show: (what: Open) => void };

const ShellContext = createContext<Context | undefined>(undefined);

export function useShell(): Context {
  const context = useContext(ShellContext);
  if (!context) throw new Error("outside of the shell");
  return context;
}

export function Shell({ children }: { children: ReactNode }) {
  const user = useUser();
  const [open, setOpen] = useState<Open>();
  const close = () => setOpen(undefined);
  useShortcuts({ "mod+k": () => setOpen("palette"), "?": () => setOpen("help") });
  usePreload();
  useRings();
  useKeptPush(user?.id);
  // Has the browser keep the page, so that it starts without its server.
  useEffect(() => void worker(), []);
  if (!user) return <Waiting />;
  return (
    <ShellContext value={{ user, show: setOpen }}>
      <CountsProvider>
        <a
          href="#main"
          className="fixed top-2 left-2 z-50 -translate-y-20 rounded-lg bg-raised px-4 py-2 text-ink shadow-pop focus:translate-y-0"
        >
          Skip to the tasks
        </a>
        <div className="flex h-dvh flex-col">
          <Connection />
          <div className="flex min-h-0 flex-1">
            <aside className="hidden w-64 shrink-0 border-r border-line bg-sunken/60 lg:block">
              <Sidebar />
            </aside>
            {children}
          </div>
        </div>
        {open && <span hidden data-layer />}
        {open === "sidebar" && (
          <Sheet open side="left" title="Navigation" onClose={close}>
            <Sidebar onFollow={close} />
          </Sheet>
        )}
        {open === "palette" && <Palette onClose={close} onHelp={() => setOpen("help")} />}
        {open === "help" && <Help onClose={close} />}
      </CountsProvider>
    </ShellContext>
  );
}

function Waiting() {
  return (
    <main className="mx-auto max-w-3xl px-4 pt-24">
      <h1 className="sr-only">Todo</h1>
      <Skeleton />
    </main>
  );
}
