import { Bell, Circle, Keyboard, MessageCircle, Repeat, Server, Zap } from "lucide-react";
import Link from "next/link";

import { buttonClass } from "@/ui/button";
import { Chip } from "@/ui/chip";
import { Logo } from "@/ui/logo";
import { PriorityIcon } from "@/ui/priority";

const points = [
  {
    icon: Zap,
    title: "Live everywhere",
    text: "A change in one tab, by the chat or by the API is on every screen at once.",
  },
  {
    icon: MessageCircle,
    title: "An assistant that asks first",
    text: "Say it in the chat. It deletes nothing without your yes, and tells you why it did what it did.",
  },
  {
    icon: Repeat,
    title: "Recurrence that keeps time",
    text: "Every 2nd Friday, 9 o'clock across summer time, or after you are done.",
  },
  {
    icon: Bell,
    title: "Reminders that ring once",
    text: "Up to five a task, at a time or before the due date. Missed ones ring on return.",
  },
  {
    icon: Server,
    title: "On a server of your own",
    text: "One program to run, one database that you hold, and an open API to all of it.",
  },
  { icon: Keyboard, title: "Hands on the keys", text: "Every action has a key. Press ? and see them all." },
];

const examples = [
  { title: "Send the quarterly report", level: "high", due: "Yesterday", late: true },
  { title: "Call mom", level: "medium", due: "Today 17:00" },
  { title: "Water the plants", level: "low", due: "Every 3 days" },
] as const satisfies { title: string; level: "high" | "medium" | "low"; due: string; late?: boolean }[];

export default function Start() {
  return (
    <div className="mx-auto flex min-h-dvh max-w-5xl flex-col px-5">
      <header className="flex h-16 items-center justify-between">
        <Logo small />
        <nav aria-label="Account" className="flex gap-2">
          <Link href="/signin" className={buttonClass("ghost")}>
            Sign in
          </Link>
          <Link href="/signup" className={buttonClass("secondary")}>
            Sign up
          </Link>
        </nav>
      </header>
      <main className="flex flex-1 flex-col justify-center py-12 sm:py-16">
        <div className="grid items-center gap-12 lg:grid-cols-[1fr_27rem]">
          <div>
            <h1 className="max-w-2xl text-4xl leading-[1.08] font-semibold tracking-tight text-balance sm:text-6xl">
              Write it as you would say it.
            </h1>
            <p className="mt-5 max-w-xl text-lg text-pretty text-muted">
              A todo system of your own: it reads plain language, keeps every promise about time, and is as fast as your
              keys.
            </p>
            <div className="mt-8 flex flex-wrap gap-3">
              <Link href="/signup" className={buttonClass("primary", "lg")}>
                Begin
              </Link>
              <Link href="/tasks" className={buttonClass("secondary", "lg")}>
                Open my tasks
              </Link>
            </div>
          </div>
          <Example />
        </div>
        <ul className="mt-14 grid gap-x-10 gap-y-8 sm:grid-cols-2 lg:grid-cols-3">
          {points.map(({ icon: Icon, title, text }) => (
            <li key={title} className="flex gap-4">
              <Icon className="mt-0.5 size-5 shrink-0 text-accent-ink" aria-hidden />
              <div>
                <h2 className="font-semibold">{title}</h2>
                <p className="mt-0.5 text-sm text-muted">{text}</p>
              </div>
            </li>
          ))}
        </ul>
      </main>
      <footer className="flex gap-5 py-6 text-sm text-muted">
        <a href="/api/docs" className="rounded underline-offset-4 hover:text-ink hover:underline">
          The API
        </a>
        <a href="/ready" className="rounded underline-offset-4 hover:text-ink hover:underline">
          Health
        </a>
      </footer>
    </div>
  );
}

const understood = "bg-accent-soft rounded-sm";

/** A line, and what is understood of it. */
function Example() {
  return (
    <figure className="min-w-0 rounded-2xl border border-line bg-surface p-2 shadow-pop">
      <figcaption className="sr-only">What is understood of a line</figcaption>
      <div className="rounded-xl border border-accent-ink">
        <p className="px-4 py-3 leading-relaxed">
          pay rent <span className={understood}>every 1st at 9am</span> <span className={understood}>#home</span>{" "}
          <span className={understood}>!high</span>, <span className={understood}>remind me 1 hour before</span>
        </p>
        <p className="flex flex-wrap gap-1.5 border-t border-line px-3 py-2.5">
          <Chip tone="accent">Monthly on the 1st</Chip>
          <Chip tone="accent">9:00</Chip>
          <Chip tone="danger">High</Chip>
          <Chip>#home</Chip>
          <Chip tone="warning">1 hour before</Chip>
        </p>
      </div>
      <ul className="space-y-0.5 px-1 pt-2 pb-1 text-[0.9375rem]">
        {examples.map(({ title, level, due, ...more }) => (
          <li key={title} className="flex items-center gap-2.5 rounded-lg px-2.5 py-2">
            <Circle className="size-5 text-edge" strokeWidth={1.75} aria-hidden />
            <PriorityIcon level={level} />
            <span className="truncate">{title}</span>
            <span className={"late" in more ? "ml-auto text-xs font-medium text-danger" : "ml-auto text-xs text-muted"}>
              {due}
            </span>
          </li>
        ))}
      </ul>
    </figure>
  );
}
