"use client";

import { SearchX } from "lucide-react";

import { viewIcons } from "@/shell/views";
import { active, cleared, type Query, type View } from "@/tasks/query";
import { Button } from "@/ui/button";
import { EmptyState } from "@/ui/empty";
import { Kbd } from "@/ui/kbd";

const titles: Record<View, string> = {
  today: "Nothing more today",
  upcoming: "Nothing with a date",
  overdue: "Nothing is late",
  all: "No tasks yet",
  completed: "Nothing completed yet",
};
const teaches: Record<View, string> = {
  today: "Write “call mom at 5pm” above, and it stands here with its time.",
  upcoming: "Write “dentist next friday 10:30”, and it stands here under its day.",
  overdue: "What is past its time shows up here, so that nothing is forgotten.",
  all: "Write one above as you would say it: “water plants every 3 days #home”.",
  completed: "Press the circle before a task, or E on your keyboard.",
};

export function NoTasks({ query, onChange }: { query: Query; onChange: (query: Query) => void }) {
  if (active(query) > 0) {
    return (
      <EmptyState icon={SearchX} title="Nothing matches">
        <p>No task passes all the filters.</p>
        <Button onClick={() => onChange(cleared(query))}>Clear filters</Button>
      </EmptyState>
    );
  }
  return (
    <EmptyState icon={viewIcons[query.view]} title={titles[query.view]}>
      <p>{teaches[query.view]}</p>
      {query.view !== "completed" && (
        <p className="pointer-coarse:hidden">
          Press <Kbd>N</Kbd> to write, <Kbd>?</Kbd> for all keys.
        </p>
      )}
    </EmptyState>
  );
}
