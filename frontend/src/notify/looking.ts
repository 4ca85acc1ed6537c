/** Held, shared, by every tab that somebody looks at. */
const LOCK = "todo.looking";

let release: (() => void) | undefined;

/** Whether somebody looks at this tab. */
export const looking = () => document.visibilityState === "visible" && document.hasFocus();

/** Lets the other tabs know whether somebody looks at this one; the answer ends that. */
export function tellLooking() {
  const update = () => {
    if (!navigator.locks || looking() === Boolean(release)) return;
    if (release) {
      release();
      release = undefined;
    } else {
      const held = new Promise<void>((done) => (release = done));
      void navigator.locks.request(LOCK, { mode: "shared" }, () => held);
    }
  };
  const events = ["focus", "blur", "visibilitychange"];
  for (const event of events) window.addEventListener(event, update, true);
  update();
  return () => {
    for (const event of events) window.removeEventListener(event, update, true);
    release?.();
    release = undefined;
  };
}

/** Whether somebody looks at any tab of this page. */
export async function anyLooking(): Promise<boolean> {
  if (!navigator.locks) return looking();
  const { held } = await navigator.locks.query();
  return held?.some(({ name }) => name === LOCK) ?? false;
}
