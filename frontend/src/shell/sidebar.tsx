"use client";

import clsx from "clsx";
import { ChartColumn, Hash, MessageCircle, Search } from "lucide-react";
import { usePathname } from "next/navigation";
import type { ReactNode } from "react";

import { levels, views, write, type Level } from "@/tasks/query";
import { Kbd } from "@/ui/kbd";
import { Logo } from "@/ui/logo";
import { PriorityIcon } from "@/ui/priority";

import { AccountMenu } from "./account-menu";
import { useCounts } from "./counts";
import { useGo, useQuery } from "./navigate";
import { useShell } from "./shell";
import { address, viewIcons, viewNames } from "./views";

const levelNames: Record<Level, string> = { high: "High", medium: "Medium", low: "Low" };

/** The views with their numbers, tags and priorities. */
export function Sidebar({ onFollow }: { onFollow?: () => void }) {
  const counts = useCounts();
  const { show } = useShell();
  const here = useHere();
  return (
    <div className="flex h-full flex-col">
      <div className="flex h-14 items-center px-5">
        <Logo small />
      </div>
      <div className="px-3 pb-2">
        <button
          type="button"
          onClick={() => show("palette")}
          className="flex h-9 w-full items-center gap-2.5 rounded-lg border border-line bg-surface px-2.5 text-sm text-muted hover:text-ink pointer-coarse:h-11"
        >
          <Search className="size-4" />
          Search or do
          <Kbd className="ml-auto">Ctrl K</Kbd>
        </button>
      </div>
      <nav aria-label="Views" className="min-h-0 flex-1 space-y-5 overflow-y-auto px-3 pt-1 pb-4">
        <ul className="space-y-px">
          {views.map((view) => {
            const Icon = viewIcons[view];
            return (
              <Entry
                key={view}
                href={address(view)}
                here={here}
                onFollow={onFollow}
                count={counts[view]}
                alarm={view === "overdue"}
              >
                <Icon />
                {viewNames[view]}
              </Entry>
            );
          })}
          <Entry href="/chat" here={here} onFollow={onFollow} count={0}>
            <MessageCircle />
            Chat
          </Entry>
          <Entry href="/dashboard" here={here} onFollow={onFollow} count={0}>
            <ChartColumn />
            Dashboard
          </Entry>
        </ul>
        <Section title="Priority">
          {levels.map((level) => (
            <Entry
              key={level}
              href={address("all", { priority: [level] })}
              here={here}
              onFollow={onFollow}
              count={counts.priorities[level]}
            >
              <PriorityIcon level={level} />
              {levelNames[level]}
            </Entry>
          ))}
        </Section>
        {counts.tags.length > 0 && (
          <Section title="Tags">
            {counts.tags.slice(0, 30).map(({ tag, count }) => (
              <Entry key={tag} href={address("all", { tag: [tag] })} here={here} onFollow={onFollow} count={count}>
                <Hash />
                {tag}
              </Entry>
            ))}
          </Section>
        )}
      </nav>
      <AccountMenu />
    </div>
  );
}

/** The address of what is shown, as the entries have it. */
function useHere() {
  const query = useQuery();
  const path = usePathname();
  return path === "/tasks" ? write({ ...query, task: undefined }) : path;
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div role="group" aria-label={title}>
      <h2 className="px-2.5 pb-1 text-xs font-medium text-muted">{title}</h2>
      <ul className="space-y-px">{children}</ul>
    </div>
  );
}

type EntryProps = {
  href: string;
  here: string;
  count: number;
  alarm?: boolean;
  onFollow?: () => void;
  children: ReactNode;
};

function Entry({ href, here, count, alarm, onFollow, children }: EntryProps) {
  const go = useGo();
  return (
    <li>
      <a
        href={href}
        aria-current={href === here ? "page" : undefined}
        onClick={(event) => {
          if (event.metaKey || event.ctrlKey || event.shiftKey) return;
          event.preventDefault();
          go(href);
          onFollow?.();
        }}
        className={clsx(
          "flex h-8 items-center gap-2.5 rounded-lg px-2.5 text-sm text-muted transition hover:bg-hover hover:text-ink pointer-coarse:h-11",
          "aria-[current]:bg-accent-soft aria-[current]:font-medium aria-[current]:text-accent-ink [&_svg]:size-4 [&_svg]:shrink-0",
        )}
      >
        <span className="contents">{children}</span>
        {count > 0 && (
          <span className={clsx("ml-auto pl-2 text-xs tabular-nums", alarm && "font-medium text-danger")}>{count}</span>
        )}
      </a>
    </li>
  );
}
