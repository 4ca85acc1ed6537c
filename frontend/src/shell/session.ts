"use client";

import { usePathname, useRouter } from "next/navigation";
import { useEffect } from "react";

import { signInPath } from "@/account/return-path";
import { presume, remembered, renew, useSession } from "@/api/session";
import { forget } from "@/live/store";
import { follow } from "@/live/sync";
import { wipe } from "@/queue/db";
import { openQueue } from "@/queue/outbox";

/** Whose tasks may be kept in this browser. */
let last = remembered()?.id;

/** The user whose tasks are shown; leads to sign in, and back, when there is none. */
export function useUser() {
  const session = useSession();
  const router = useRouter();
  const path = usePathname();
  const id = session.status === "signedIn" ? session.user.id : undefined;

  useEffect(() => {
    if (session.status === "unknown") void begin();
    if (session.status === "anonymous") router.replace(signInPath(path + window.location.search));
  }, [session.status, router, path]);

  useEffect(() => {
    if (session.status === "unknown") return;
    if (last && last !== id) void wipe(last).catch(() => undefined);
    last = id;
  }, [session.status, id]);

  useEffect(() => {
    if (!id) return;
    const ended = new AbortController();
    openQueue(id, ended.signal);
    follow(id, ended.signal);
    return () => {
      ended.abort();
      forget();
    };
  }, [id]);

  return session.status === "signedIn" ? session.user : undefined;
}

/** How long the server may take to say who this is, before it is taken to be who it was, in milliseconds. */
const PATIENCE = 2_500;

/** Tries until the server answers; goes on meanwhile as the one who was here last. */
async function begin() {
  const timer = setTimeout(presume, PATIENCE);
  await renew().catch(() => {
    presume();
    setTimeout(() => void begin(), 1_000);
  });
  clearTimeout(timer);
}
