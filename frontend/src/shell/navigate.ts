"use client";

import { usePathname, useRouter, useSearchParams } from "next/navigation";
import { useCallback, useMemo } from "react";

import { read, write, type Query } from "@/tasks/query";

/** What the address says of the tasks to show. */
export function useQuery(): Query {
  const params = useSearchParams();
  return useMemo(() => read(new URLSearchParams(params)), [params]);
}

/** Goes to an address; within a page without asking the server for anything. */
export function useGo() {
  const router = useRouter();
  const path = usePathname();
  return useCallback(
    (address: string, how: "push" | "replace" = "push") => {
      if (!address.startsWith(`${path}?`)) return router[how](address);
      window.history[how === "push" ? "pushState" : "replaceState"](null, "", address);
    },
    [router, path],
  );
}

export function useGoQuery() {
  const go = useGo();
  return useCallback((query: Query, how?: "push" | "replace") => go(write(query), how), [go]);
}
