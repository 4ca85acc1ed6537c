import {
  AutoScroller,
  Cursor,
  DragDropManager,
  Draggable,
  PointerActivationConstraints,
  PointerSensor,
  PreventSelection,
} from "@dnd-kit/dom";

export type DragEvents = {
  onStart: (id: string) => void;
  onMove: (x: number, y: number, day: number | undefined) => void;
  onEnd: (id: string, day: number | undefined) => void;
};

const { Delay, Distance } = PointerActivationConstraints;
/** What tells a press from a drag: a way in pixels for a mouse, a time in milliseconds for a finger. */
const MOUSE = [new Distance({ value: 5 })];
const TOUCH = [new Delay({ value: 300, tolerance: 8 })];

/**
 * Lets the tasks in a box be dragged onto days: `data-task` names a task, `data-day` a day. The box as a whole is what
 * is dragged from, because its rows come and go as it scrolls.
 */
export function dragWithin(box: HTMLElement, { onStart, onMove, onEnd }: DragEvents): () => void {
  let id: string | undefined;
  let day: number | undefined;
  let at = { x: 0, y: 0 };
  const sensor = PointerSensor.configure({
    activationConstraints: ({ pointerType }) => (pointerType === "mouse" ? MOUSE : TOUCH),
    preventActivation: ({ target }) => {
      id = taskAt(target);
      return id === undefined;
    },
  });
  const manager = new DragDropManager({ sensors: [sensor], plugins: [AutoScroller, Cursor, PreventSelection] });
  const source = new Draggable({ id: "rows", element: box }, manager);
  const look = () => {
    const under = document.elementFromPoint(at.x, at.y)?.closest<HTMLElement>("[data-day]");
    day = under && box.contains(under) ? Number(under.dataset.day) : undefined;
    onMove(at.x, at.y, day);
  };
  manager.monitor.addEventListener("dragstart", () => {
    day = undefined;
    box.addEventListener("scroll", look);
    if (id) onStart(id);
  });
  manager.monitor.addEventListener("dragmove", ({ to, operation }) => {
    at = to ?? operation.position.current;
    look();
  });
  manager.monitor.addEventListener("dragend", ({ canceled }) => {
    box.removeEventListener("scroll", look);
    if (id) onEnd(id, canceled ? undefined : day);
  });
  return () => {
    source.destroy();
    manager.destroy();
  };
}

/** The task whose row is under the pointer, unless that is on another button in the row. */
function taskAt(target: EventTarget | null): string | undefined {
  if (!(target instanceof Element) || target.closest("button:not([data-task])")) return undefined;
  return target.closest("li")?.querySelector<HTMLElement>("[data-task]")?.dataset.task;
}
