"use client";

import { MessagesSquare, SquarePen } from "lucide-react";
import dynamic from "next/dynamic";
import { useSearchParams } from "next/navigation";
import { useEffect, useState } from "react";

import { useGo } from "@/shell/navigate";
import { usePlaces } from "@/shell/places";
import { useShortcuts } from "@/shell/shortcuts";
import { TopBar } from "@/shell/top-bar";
import { IconButton } from "@/ui/button";

import { Conversations } from "./conversations";
import { list, NEW, useChats } from "./store";
import { Talk } from "./talk";

const Sheet = dynamic(() => import("@/ui/dialog").then(({ Sheet }) => Sheet), { ssr: false });

const addressOf = (id: string) => (id === NEW ? "/chat" : `/chat?id=${id}`);

export function ChatPage() {
  const id = useSearchParams().get("id") ?? NEW;
  const go = useGo();
  const { conversations } = useChats();
  const [listed, setListed] = useState(false);
  useEffect(() => void list(), []);
  useShortcuts(usePlaces({ n: () => go(addressOf(NEW)) }));
  const pick = (picked: string) => {
    setListed(false);
    go(addressOf(picked));
  };
  const onBegun = (begun: string) => {
    if (window.location.pathname === "/chat" && !window.location.search)
      window.history.replaceState(null, "", addressOf(begun));
  };
  const title = conversations?.find((one) => one.id === id)?.title ?? "Chat";
  return (
    <>
      <main id="main" className="flex min-w-0 flex-1 flex-col">
        <TopBar title={title}>
          <IconButton label="New chat" onClick={() => pick(NEW)} className="xl:hidden">
            <SquarePen />
          </IconButton>
          <IconButton label="Conversations" onClick={() => setListed(true)} className="xl:hidden">
            <MessagesSquare />
          </IconButton>
        </TopBar>
        <Talk id={id} onBegun={onBegun} />
      </main>
      <div className="hidden w-64 shrink-0 border-l border-line bg-sunken/60 xl:block">
        <Conversations current={id} onPick={pick} />
      </div>
      {listed && (
        <Sheet open side="left" title="Conversations" onClose={() => setListed(false)}>
          <Conversations current={id} onPick={pick} />
        </Sheet>
      )}
    </>
  );
}
