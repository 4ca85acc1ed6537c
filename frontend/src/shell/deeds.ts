"use client";

import type { LucideIcon } from "lucide-react";
import { useEffect } from "react";

/** Something that can be done where one is. */
export type Deed = { id: string; label: string; icon: LucideIcon; note?: string; run: () => void };

let offered: Deed[] = [];

/** Offers what a page can do to the palette. */
export function useDeeds(deeds: Deed[]) {
  useEffect(() => {
    offered = deeds;
    return () => {
      offered = [];
    };
  });
}

export const offeredDeeds = () => offered;
