"use client";

import { useRef } from "react";

import { useGo } from "./navigate";
import { address } from "./views";

/** How long after "g" a second key says where to go, in milliseconds. */
const SEQUENCE = 1_500;

const places: Record<string, string> = {
  t: address("today"),
  u: address("upcoming"),
  o: address("overdue"),
  a: address("all"),
  d: address("completed"),
  c: "/chat",
  b: "/dashboard",
};

type Acts = Record<string, (event: KeyboardEvent) => void>;

/** Adds to a page's keys those that go elsewhere: "g" and then the place's. */
export function usePlaces(acts: Acts): Acts {
  const went = useRef(-Infinity);
  const go = useGo();
  const place = (key: string, where: string) => (event: KeyboardEvent) => {
    const going = event.timeStamp - went.current < SEQUENCE;
    went.current = -Infinity;
    if (going) go(where);
    else acts[key]?.(event);
  };
  const entries = Object.entries(places).map(([key, where]) => [key, place(key, where)] as const);
  const g = ({ timeStamp }: KeyboardEvent) => {
    went.current = timeStamp;
  };
  return { ...acts, g, ...Object.fromEntries(entries) };
}
