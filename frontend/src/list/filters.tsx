"use client";

import clsx from "clsx";
import { ArrowUpDown, ListFilter, Search, X } from "lucide-react";
import type { RefObject } from "react";

import { useCounts } from "@/shell/counts";
import { active, cleared, levels, sorts, states, type Query, type Sort, type State } from "@/tasks/query";
import { Button, IconButton } from "@/ui/button";
import { inputClass } from "@/ui/field";
import { Menu, MenuChoice, MenuLabel, MenuLine } from "@/ui/menu";
import { PriorityIcon } from "@/ui/priority";

const stateNames: Record<State, string> = {
  open: "Open",
  pending: "Pending",
  in_progress: "In progress",
  completed: "Completed",
};
const sortNames: Record<Sort, string> = {
  due: "Due date",
  priority: "Priority",
  title: "Title",
  created: "Newest",
  updated: "Last changed",
};
const levelNames = { high: "High", medium: "Medium", low: "Low" } as const;

type Props = {
  query: Query;
  input: RefObject<HTMLInputElement | null>;
  onChange: (query: Query, how?: "push" | "replace") => void;
};

/** Search, filters, order, and in the list of all the tabs by status. */
export function Filters({ query, input, onChange }: Props) {
  const narrow = active(query);
  return (
    <div className="space-y-2 py-3">
      <div className="flex items-center gap-1.5">
        <div className="relative min-w-0 flex-1">
          <Search
            className="pointer-events-none absolute top-2 left-2.5 size-4 text-muted pointer-coarse:top-3.5"
            aria-hidden
          />
          <input
            ref={input}
            type="search"
            aria-label="Search these tasks"
            placeholder="Search"
            value={query.search}
            onChange={(event) => onChange({ ...query, search: event.target.value }, "replace")}
            onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
            className={clsx(
              inputClass,
              "h-8 border-transparent bg-sunken pl-8 text-sm pointer-coarse:h-11 [&::-webkit-search-cancel-button]:appearance-none",
            )}
          />
          {query.search && (
            <IconButton
              label="Clear the search"
              onClick={() => onChange({ ...query, search: "" })}
              className="absolute top-0 right-0"
            >
              <X />
            </IconButton>
          )}
        </div>
        <FilterMenu query={query} onChange={onChange} />
        <Menu
          trigger={
            <Button size="sm" look="ghost" aria-label={`Sort: ${sortNames[query.sort]}`}>
              <ArrowUpDown className="size-4" /> <span className="hidden sm:inline">{sortNames[query.sort]}</span>
            </Button>
          }
        >
          <MenuLabel>Sort by</MenuLabel>
          {sorts.map((sort) => (
            <MenuChoice key={sort} chosen={query.sort === sort} onSelect={() => onChange({ ...query, sort })}>
              {sortNames[sort]}
            </MenuChoice>
          ))}
          <MenuLine />
          <MenuChoice chosen={query.reverse} onSelect={() => onChange({ ...query, reverse: !query.reverse })}>
            Reversed
          </MenuChoice>
        </Menu>
      </div>
      <div className="flex flex-wrap items-center gap-1.5 empty:hidden">
        {query.view === "all" && <Tabs query={query} onChange={onChange} />}
        {narrow > 0 && (
          <Button size="sm" look="ghost" className="ml-auto" onClick={() => onChange(cleared(query))}>
            <X className="size-4" /> Clear {narrow === 1 ? "filter" : `${narrow} filters`}
          </Button>
        )}
      </div>
    </div>
  );
}

function Tabs({ query, onChange }: Pick<Props, "query" | "onChange">) {
  const counts = useCounts();
  return (
    <div role="group" aria-label="Status" className="-ml-1 flex max-w-full gap-0.5 overflow-x-auto p-0.5">
      {states.map((state) => (
        <button
          key={state}
          type="button"
          aria-pressed={query.state === state}
          onClick={() => onChange({ ...query, state })}
          className={clsx(
            "flex h-8 items-center gap-1.5 rounded-lg px-2.5 text-[0.8125rem] whitespace-nowrap text-muted transition hover:bg-hover hover:text-ink pointer-coarse:h-11",
            "aria-pressed:bg-accent-soft aria-pressed:font-medium aria-pressed:text-accent-ink",
          )}
        >
          {stateNames[state]} <span className="tabular-nums">{counts.states[state]}</span>
        </button>
      ))}
    </div>
  );
}

function FilterMenu({ query, onChange }: Pick<Props, "query" | "onChange">) {
  const { tags } = useCounts();
  const flip = <T,>(all: T[], one: T) => (all.includes(one) ? all.filter((other) => other !== one) : [...all, one]);
  const count = query.priority.length + query.tag.length;
  return (
    <Menu
      trigger={
        <Button size="sm" look="ghost" aria-label={count > 0 ? `Filter, ${count} active` : "Filter"}>
          <ListFilter className="size-4" /> <span className="hidden sm:inline">Filter</span>
          {count > 0 && (
            <span className="rounded-md bg-accent-soft px-1.5 text-xs text-accent-ink tabular-nums">{count}</span>
          )}
        </Button>
      }
    >
      <MenuLabel>Priority, any of</MenuLabel>
      {levels.map((level) => (
        <MenuChoice
          key={level}
          chosen={query.priority.includes(level)}
          onSelect={() => onChange({ ...query, priority: flip(query.priority, level) })}
        >
          <PriorityIcon level={level} /> {levelNames[level]}
        </MenuChoice>
      ))}
      {tags.length > 0 && <MenuLabel>Tags, all of</MenuLabel>}
      {tags.slice(0, 30).map(({ tag }) => (
        <MenuChoice
          key={tag}
          chosen={query.tag.includes(tag)}
          onSelect={() => onChange({ ...query, tag: flip(query.tag, tag) })}
        >
          <span className="text-muted">#</span> {tag}
        </MenuChoice>
      ))}
    </Menu>
  );
}
