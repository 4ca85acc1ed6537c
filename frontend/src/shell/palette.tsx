"use client";

import clsx from "clsx";
import {
  Bell,
  ChartColumn,
  Hash,
  Keyboard,
  MessageCircle,
  Moon,
  Search,
  SquarePen,
  Sun,
  UserRound,
} from "lucide-react";
import { useId, useMemo, useState, type KeyboardEvent } from "react";

import { useLive } from "@/live/store";
import { views, write } from "@/tasks/query";
import { fold, isDone } from "@/tasks/task";
import { Dialog } from "@/ui/dialog";
import { setTheme } from "@/ui/theme";

import { useCounts } from "./counts";
import { offeredDeeds, type Deed as Choice } from "./deeds";
import { useGo, useQuery } from "./navigate";
import { address, viewIcons, viewNames } from "./views";

/** Finds tasks, views and deeds by a few letters. */
export function Palette({ onClose, onHelp }: { onClose: () => void; onHelp: () => void }) {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const list = useId();
  const choices = useChoices(text, onHelp);
  const pick = (choice: Choice | undefined) => {
    if (!choice) return;
    onClose();
    choice.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Enter" && !event.nativeEvent.isComposing) pick(choices[at]);
    if (step === undefined || choices.length === 0) return;
    event.preventDefault();
    setAt((at + step + choices.length) % choices.length);
  };
  return (
    <Dialog open bare onClose={onClose} title="Search, go and do">
      <div className="flex items-center gap-3 border-b border-line px-4">
        <Search className="size-5 text-muted" aria-hidden />
        <input
          autoFocus
          role="combobox"
          aria-expanded
          aria-controls={list}
          aria-activedescendant={choices[at] && `${list}-${at}`}
          aria-label="Search, go and do"
          placeholder="Find a task, go somewhere, do something"
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setAt(0);
          }}
          onKeyDown={onKeyDown}
          className="h-13 w-full bg-transparent text-base outline-none"
        />
      </div>
      <ul id={list} role="listbox" aria-label="Choices" className="max-h-[56vh] overflow-y-auto p-2">
        {choices.map((choice, index) => (
          <li
            key={choice.id}
            id={`${list}-${index}`}
            role="option"
            aria-selected={index === at}
            ref={(element) => {
              if (index === at) element?.scrollIntoView({ block: "nearest" });
            }}
            onPointerMove={() => setAt(index)}
            onClick={() => pick(choice)}
            className={clsx(
              "flex h-10 cursor-pointer items-center gap-3 rounded-lg px-3 text-sm",
              index === at && "bg-accent-soft",
            )}
          >
            <choice.icon className="size-4 shrink-0 text-muted" aria-hidden />
            <span className="truncate">{choice.label}</span>
            {choice.note && <span className="ml-auto shrink-0 pl-3 text-xs text-muted">{choice.note}</span>}
          </li>
        ))}
        {choices.length === 0 && <li className="px-3 py-6 text-center text-sm text-muted">Nothing is called that.</li>}
      </ul>
    </Dialog>
  );
}

function useChoices(text: string, onHelp: () => void): Choice[] {
  const { tasks } = useLive();
  const { tags } = useCounts();
  const query = useQuery();
  const go = useGo();
  return useMemo(() => {
    const wanted = fold(text.trim());
    const fits = (label: string) => fold(label).includes(wanted);
    const places: Choice[] = [
      ...views.map((view) => ({
        id: view,
        label: viewNames[view],
        icon: viewIcons[view],
        note: "View",
        run: () => go(address(view)),
      })),
      { id: "chat", label: "Chat", icon: MessageCircle, note: "Page", run: () => go("/chat") },
      { id: "dashboard", label: "Dashboard", icon: ChartColumn, note: "Page", run: () => go("/dashboard") },
      { id: "bell", label: "Notifications", icon: Bell, note: "Page", run: () => go("/notifications") },
      { id: "account", label: "Account", icon: UserRound, note: "Page", run: () => go("/account") },
      ...tags.map(({ tag }) => ({
        id: `#${tag}`,
        label: tag,
        icon: Hash,
        note: "Tag",
        run: () => go(address("all", { tag: [tag] })),
      })),
    ];
    const deeds: Choice[] = [
      ...offeredDeeds(),
      { id: "new", label: "New chat", icon: SquarePen, run: () => go("/chat") },
      { id: "light", label: "Light theme", icon: Sun, run: () => setTheme("light") },
      { id: "dark", label: "Dark theme", icon: Moon, run: () => setTheme("dark") },
      { id: "keys", label: "Keys", icon: Keyboard, run: onHelp },
    ];
    const found: Choice[] = [];
    for (const task of wanted ? tasks.values() : []) {
      if (found.length === 8) break;
      const icon = isDone(task) ? viewIcons.completed : viewIcons.all;
      const to = write({ ...query, task: task.id });
      if (fits(task.title)) found.push({ id: task.id, label: task.title, icon, note: "Task", run: () => go(to) });
    }
    return [
      ...found,
      ...places.filter(({ label }) => fits(label)).slice(0, wanted ? 8 : 12),
      ...deeds.filter(({ label }) => fits(label)),
    ];
  }, [text, tasks, tags, query, go, onHelp]);
}
