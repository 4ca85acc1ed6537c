"use client";

import { Bell, ChartColumn, Hash, Keyboard, MessageCircle, Moon, SquarePen, Sun, UserRound } from "lucide-react";
import { useMemo, useState } from "react";

import { useLive } from "@/live/store";
import { views, write } from "@/tasks/query";
import { fold, isDone } from "@/tasks/task";
import { Dialog } from "@/ui/dialog";
import { Finder } from "@/ui/finder";
import { setTheme } from "@/ui/theme";

import { useCounts } from "./counts";
import { offeredDeeds, type Deed as Choice } from "./deeds";
import { useGo, useQuery } from "./navigate";
import { address, viewIcons, viewNames } from "./views";

/** Finds tasks, views and deeds by a few letters. */
export function Palette({ onClose, onHelp }: { onClose: () => void; onHelp: () => void }) {
  const [text, setText] = useState("");
  const choices = useChoices(text, onHelp);
  const pick = (choice: Choice) => {
    onClose();
    choice.run();
  };
  return (
    <Dialog open bare onClose={onClose} title="Search, go and do">
      <Finder
        roomy
        label="Search, go and do"
        placeholder="Find a task, go somewhere, do something"
        text={text}
        onText={setText}
        listLabel="Choices"
        choices={choices}
        keyOf={({ id }) => id}
        onPick={pick}
        none="Nothing is called that."
      >
        {(choice) => (
          <>
            <choice.icon className="size-4 shrink-0 text-muted" aria-hidden />
            <span className="truncate">{choice.label}</span>
            {choice.note && <span className="ml-auto shrink-0 pl-3 text-xs text-muted">{choice.note}</span>}
          </>
        )}
      </Finder>
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
