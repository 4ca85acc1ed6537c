"use client";

import clsx from "clsx";
import { X } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import type { ReactNode } from "react";

import { IconButton } from "./button";

type Props = { open: boolean; onClose: () => void; title: string; children: ReactNode };

const overlay = "animate-fade fixed inset-0 z-40 bg-black/45";

/** Asks for attention in the middle of the page. */
export function Dialog({ open, onClose, title, bare, children }: Props & { bare?: boolean }) {
  return (
    <Radix.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className={overlay} />
        <Radix.Content
          aria-describedby={undefined}
          className={clsx(
            "fixed top-[12vh] left-1/2 z-50 max-h-[76vh] w-[min(36rem,calc(100vw-1.5rem))] -translate-x-1/2 animate-rise overflow-y-auto rounded-2xl border border-line bg-raised shadow-pop",
            !bare && "p-5",
          )}
        >
          <div className={clsx(bare ? "sr-only" : "mb-3 flex items-center justify-between")}>
            <Radix.Title className="text-lg font-semibold">{title}</Radix.Title>
            {!bare && (
              <Radix.Close asChild>
                <IconButton label="Close">
                  <X />
                </IconButton>
              </Radix.Close>
            )}
          </div>
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

/** Slides in from a side, over the page. */
export function Sheet({ open, onClose, title, side, children }: Props & { side: "left" | "right" }) {
  return (
    <Radix.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className={overlay} />
        <Radix.Content
          aria-describedby={undefined}
          className={clsx(
            "fixed inset-y-0 z-50 flex max-w-[100vw] flex-col overflow-hidden border-line bg-surface shadow-pop",
            side === "left" ? "left-0 w-72 animate-fade border-r" : "right-0 w-[26rem] animate-slide sm:border-l",
          )}
        >
          <Radix.Title className="sr-only">{title}</Radix.Title>
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
