"use client";

import { MessageCircle } from "lucide-react";
import dynamic from "next/dynamic";
import { useMemo, useRef, useState } from "react";

import { useBeside } from "@/chat/use-beside";
import type { BatchAction } from "@/gen/todo/v1/task_service_pb";
import type { Task } from "@/gen/todo/v1/task_pb";
import { useLive } from "@/live/store";
import { useOutbox } from "@/queue/outbox";
import { QuickAdd } from "@/quick-add/quick-add";
import { useGoQuery, useQuery } from "@/shell/navigate";
import { TopBar } from "@/shell/top-bar";
import { viewNames } from "@/shell/views";
import { batch, remove, toggle } from "@/tasks/actions";
import { active, type Query } from "@/tasks/query";
import { select } from "@/tasks/select";
import { isDone } from "@/tasks/task";
import { useClock } from "@/time/clock";
import { IconButton } from "@/ui/button";
import { Skeleton } from "@/ui/skeleton";

import { BulkBar } from "./bulk-bar";
import { Filters } from "./filters";
import { NoTasks } from "./no-tasks";
import { rowsOf } from "./rows";
import { TaskList } from "./task-list";
import type { RowEvents } from "./task-row";
import { focusRow, useKeys } from "./use-keys";

/** Not needed for the first sight of a list. */
const Beside = dynamic(() => import("@/chat/beside").then(({ Beside }) => Beside), { ssr: false });
const Detail = dynamic(() => import("@/detail/detail").then(({ Detail }) => Detail), { ssr: false });

const nobody: ReadonlySet<string> = new Set();

export function TasksPage() {
  const { tasks, ready } = useLive();
  const clock = useClock();
  const query = useQuery();
  const goQuery = useGoQuery();
  const { unread } = useOutbox();
  const groups = useMemo(() => {
    // A line that nobody has read yet may belong anywhere, so it is seen everywhere.
    const anywhere = (task: Task) => unread.has(task.id) && !isDone(task);
    const all = [...tasks.values()];
    const rest = all.filter((task) => !anywhere(task));
    return [{ tasks: all.filter(anywhere) }, ...select(rest, query, clock)];
  }, [tasks, unread, query, clock]);
  const shown = useMemo(() => groups.flatMap((group) => group.tasks), [groups]);
  const rows = useMemo(() => rowsOf(groups), [groups]);
  const [chosen, setChosen] = useState(nobody);
  const [asking, setAsking] = useState<string>();
  const quickAdd = useRef<HTMLInputElement>(null);
  const search = useRef<HTMLInputElement>(null);
  const beside = useBeside();

  const onChoose = ({ id }: Task) =>
    setChosen((now) => new Set(now.has(id) ? [...now].filter((one) => one !== id) : [...now, id]));
  const onAskDelete = (task: Task | undefined) => {
    const before = asking;
    setAsking(task?.id);
    if (!task && before) requestAnimationFrame(() => focusRow(before));
  };
  const onChooseNone = () => setChosen(nobody);
  const keys = useKeys({ tasks: shown, query, chosen, onChoose, onChooseNone, onAskDelete, quickAdd, search });
  const open = query.task ? tasks.get(query.task) : undefined;
  const close = () => goQuery({ ...query, task: undefined });

  const events: RowEvents = {
    onChoose,
    onAskDelete,
    onToggle: (task) => toggle(task),
    onOpen: (task) => {
      keys.setCurrent(task.id);
      goQuery({ ...query, task: task.id });
    },
    onDelete: (task) => {
      setAsking(undefined);
      if (query.task === task.id) close();
      remove(task);
    },
  };
  const act = (action: BatchAction.COMPLETE | BatchAction.DELETE) => {
    batch(
      shown.filter(({ id }) => chosen.has(id)),
      action,
    );
    onChooseNone();
  };

  return (
    <>
      <main id="main" className="flex min-w-0 flex-1 flex-col">
        <TopBar title={titleOf(query)} count={ready ? shown.length : undefined}>
          {beside.possible && (
            <IconButton
              label="Chat beside the list"
              aria-pressed={beside.open}
              onClick={beside.toggle}
              className="aria-pressed:bg-accent-soft aria-pressed:text-accent-ink"
            >
              <MessageCircle />
            </IconButton>
          )}
        </TopBar>
        <div className="mx-auto flex min-h-0 w-full max-w-4xl flex-1 flex-col px-4 sm:px-6">
          <QuickAdd query={query} input={quickAdd} />
          <Filters query={query} input={search} onChange={goQuery} />
          {!ready ? (
            <Skeleton rows={8} />
          ) : rows.length === 0 ? (
            <NoTasks query={query} onChange={goQuery} />
          ) : (
            <TaskList
              rows={rows}
              query={query}
              current={keys.current}
              chosen={chosen}
              asking={asking}
              events={events}
            />
          )}
        </div>
        {chosen.size > 0 && <BulkBar count={chosen.size} onAct={act} onClear={onChooseNone} />}
      </main>
      {open && <Detail key={open.id} task={open} onClose={close} onDelete={events.onDelete} />}
      {beside.open && (
        <div className={open ? "hidden min-[1720px]:flex" : "flex"}>
          <Beside onClose={beside.toggle} />
        </div>
      )}
    </>
  );
}

function titleOf(query: Query) {
  const { view, tag, priority, search } = query;
  const alone = active(query) === 1 && view === "all";
  if (alone && tag.length === 1) return `#${tag[0]}`;
  if (alone && priority.length === 1) return `${priority[0]?.charAt(0).toUpperCase()}${priority[0]?.slice(1)} priority`;
  return alone && search ? "Search" : viewNames[view];
}
