"use client";

import { usePathname, useRouter } from "next/navigation";
import { useEffect } from "react";

import { signInPath } from "@/account/return-path";
import { renew, useSession } from "@/api/session";
import { forget } from "@/live/store";
import { follow } from "@/live/sync";

/** The user whose tasks are shown; leads to sign in, and back, when there is none. */
export function useUser() {
  const session = useSession();
  const router = useRouter();
  const path = usePathname();
  const id = session.status === "signedIn" ? session.user.id : undefined;

  useEffect(() => {
    if (session.status === "unknown") retry();
    if (session.status === "anonymous") router.replace(signInPath(path + window.location.search));
  }, [session.status, router, path]);

  useEffect(() => {
    if (!id) return;
    const ended = new AbortController();
    follow(id, ended.signal);
    return () => {
      ended.abort();
      forget();
    };
  }, [id]);

  return session.status === "signedIn" ? session.user : undefined;
}

/** Until the server answers. */
function retry() {
  renew().catch(() => setTimeout(retry, 1_000));
}
