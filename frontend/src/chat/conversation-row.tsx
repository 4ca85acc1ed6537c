"use client";

import clsx from "clsx";
import { MoreHorizontal, Pencil, Route, Trash2 } from "lucide-react";
import { useState } from "react";

import type { Conversation } from "@/gen/todo/v1/chat_service_pb";
import { useGo } from "@/shell/navigate";
import { millis } from "@/tasks/task";
import { useClock } from "@/time/clock";
import { fromNow } from "@/time/words";
import { tracePath } from "@/trace/path";
import { Button, IconButton } from "@/ui/button";
import { inputClass } from "@/ui/field";
import { Menu, MenuItem } from "@/ui/menu";

import { remove, rename } from "./store";

type Props = { conversation: Conversation; current: boolean; onPick: () => void; onGone: () => void };

export function ConversationRow({ conversation, current, onPick, onGone }: Props) {
  const [doing, setDoing] = useState<"rename" | "delete">();
  const { now } = useClock();
  const go = useGo();
  const done = () => setDoing(undefined);
  if (doing === "rename") return <Rename conversation={conversation} onDone={done} />;
  if (doing === "delete") return <AskDelete conversation={conversation} onKeep={done} onGone={onGone} />;
  const at = millis(conversation.updatedAt) ?? now;
  return (
    <li
      className={clsx(
        "group relative flex items-center rounded-lg pr-1 transition",
        current ? "bg-accent-soft" : "hover:bg-hover",
      )}
    >
      <button
        type="button"
        aria-current={current ? "page" : undefined}
        onClick={onPick}
        className="min-h-11 min-w-0 flex-1 rounded-lg px-2.5 py-1.5 text-left text-sm"
      >
        <span className={clsx("block truncate", current && "font-medium text-accent-ink")}>{conversation.title}</span>
        <span className="block text-xs text-muted">{fromNow(Math.min(at, now), now)}</span>
      </button>
      <Menu
        trigger={
          <IconButton label={`Options of ${conversation.title}`}>
            <MoreHorizontal />
          </IconButton>
        }
      >
        <MenuItem onSelect={() => setDoing("rename")}>
          <Pencil /> Rename
        </MenuItem>
        <MenuItem onSelect={() => go(tracePath(conversation.id))}>
          <Route /> Decisions
        </MenuItem>
        <MenuItem danger onSelect={() => setDoing("delete")}>
          <Trash2 /> Delete
        </MenuItem>
      </Menu>
    </li>
  );
}

function Rename({ conversation, onDone }: { conversation: Conversation; onDone: () => void }) {
  const [title, setTitle] = useState(conversation.title);
  const save = () => {
    onDone();
    if (title.trim() && title.trim() !== conversation.title) void rename(conversation, title.trim());
  };
  return (
    <li>
      <input
        autoFocus
        aria-label="Title of the conversation"
        value={title}
        maxLength={200}
        onFocus={(event) => event.target.select()}
        onChange={(event) => setTitle(event.target.value)}
        onBlur={save}
        onKeyDown={(event) => {
          if (event.key === "Enter") save();
          if (event.key !== "Escape") return;
          event.stopPropagation();
          onDone();
        }}
        className={`${inputClass} h-11`}
      />
    </li>
  );
}

type AskProps = { conversation: Conversation; onKeep: () => void; onGone: () => void };

function AskDelete({ conversation, onKeep, onGone }: AskProps) {
  const act = async () => {
    if (await remove(conversation)) onGone();
    else onKeep();
  };
  return (
    <li
      role="alertdialog"
      aria-label={`Delete ${conversation.title}?`}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        onKeep();
      }}
      className="animate-fade rounded-lg bg-danger-soft p-2 text-sm"
    >
      <p className="truncate px-0.5 pb-1.5 text-danger">Delete “{conversation.title}”?</p>
      <div className="flex justify-end gap-1">
        <Button size="sm" look="ghost" onClick={onKeep}>
          Keep
        </Button>
        <Button size="sm" look="danger" autoFocus className="font-semibold" onClick={() => void act()}>
          Delete
        </Button>
      </div>
    </li>
  );
}
