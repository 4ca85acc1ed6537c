"use client";

import { CalendarDays, MessageCircle, Undo2 } from "lucide-react";
import dynamic from "next/dynamic";
import { useMemo, useRef, useState } from "react";

import { useBeside } from "@/chat/use-beside";
import type { BatchAction } from "@/gen/todo/v1/task_service_pb";
import type { Task } from "@/gen/todo/v1/task_pb";
import { useLive } from "@/live/store";
import { useOutbox } from "@/queue/outbox";
import { QuickAdd } from "@/quick-add/quick-add";
import { useDeeds } from "@/shell/deeds";
import { useGoQuery, useQuery } from "@/shell/navigate";
import { TopBar } from "@/shell/top-bar";
import { viewNames } from "@/shell/views";
import { batch, remove, toggle, undoLast } from "@/tasks/actions";
import { move } from "@/tasks/move";
import { active, type Query } from "@/tasks/query";
import { select } from "@/tasks/select";
import { isDone } from "@/tasks/task";
import { useClock } from "@/time/clock";
import { IconButton } from "@/ui/button";
import { Skeleton } from "@/ui/skeleton";

import { Filters } from "./filters";
import { NoTasks } from "./no-tasks";
import { rowsOf } from "./rows";
import type { RowEvents } from "./task-row";
import { focusRow, focusSoon, useKeys } from "./use-keys";

/** Loaded while the first tasks are on their way. */
const loadList = () => import("./task-list");
if (typeof window !== "undefined") void loadList().catch(() => undefined);
const TaskList = dynamic(() => loadList().then(({ TaskList }) => TaskList), {
  ssr: false,
  loading: () => <Skeleton rows={8} />,
});
/** Not needed for the first sight of a list. */
const Beside = dynamic(() => import("@/chat/beside").then(({ Beside }) => Beside), { ssr: false });
const BulkBar = dynamic(() => import("./bulk-bar").then(({ BulkBar }) => BulkBar), { ssr: false });
const Detail = dynamic(() => import("@/detail/detail").then(({ Detail }) => Detail), { ssr: false });
const MoveDialog = dynamic(() => import("./move-dialog").then(({ MoveDialog }) => MoveDialog), { ssr: false });

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
  const [moving, setMoving] = useState<Task[]>([]);
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
  const those = (task: Task | undefined) =>
    chosen.size > 0 && (!task || chosen.has(task.id)) ? shown.filter(({ id }) => chosen.has(id)) : task ? [task] : [];
  const onMove = (task: Task | undefined) => setMoving(those(task));
  const close = () => {
    if (!query.task) return;
    goQuery({ ...query, task: undefined });
    focusSoon(query.task);
  };
  const focus = { quickAdd, search };
  const keys = useKeys({
    tasks: shown,
    query,
    chosen,
    onChoose,
    onChooseNone,
    onAskDelete,
    onMove,
    onClose: close,
    ...focus,
  });
  const moveTo = (those: Task[], day: number | undefined) => {
    setMoving([]);
    if (keys.current) focusSoon(keys.current);
    if (those.some(({ id }) => chosen.has(id))) onChooseNone();
    void move(those, day, clock);
  };
  const toMove = those(keys.task);
  const movable = toMove.length === 1 ? `Move “${toMove[0]?.title}” to …` : `Move ${toMove.length} tasks to …`;
  const undo = { id: "undo", label: "Undo the last change", icon: Undo2, note: "Z", run: () => void undoLast() };
  const palette = { id: "move", label: movable, icon: CalendarDays, note: "M", run: () => setMoving(toMove) };
  useDeeds(toMove.length > 0 ? [palette, undo] : [undo]);
  const open = query.task ? tasks.get(query.task) : undefined;

  const events: RowEvents = {
    onChoose,
    onMove,
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
              onDrop={(id, day) => moveTo(those(tasks.get(id)), day)}
            />
          )}
        </div>
        {chosen.size > 0 && (
          <BulkBar count={chosen.size} onAct={act} onMove={() => onMove(undefined)} onClear={onChooseNone} />
        )}
      </main>
      {moving.length > 0 && (
        <MoveDialog tasks={moving} onMove={(day) => moveTo(moving, day)} onClose={() => setMoving([])} />
      )}
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
