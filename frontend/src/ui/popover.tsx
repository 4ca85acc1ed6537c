"use client";

import { Popover as Radix } from "radix-ui";
import type { ReactNode } from "react";

type Props = { open: boolean; onOpen: (open: boolean) => void; label: string; trigger: ReactNode; children: ReactNode };

export function Popover({ open, onOpen, label, trigger, children }: Props) {
  return (
    <Radix.Root open={open} onOpenChange={onOpen}>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          aria-label={label}
          align="start"
          sideOffset={6}
          collisionPadding={8}
          className="z-60 min-h-24 min-w-48 animate-rise rounded-xl border border-line bg-raised shadow-pop"
        >
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
