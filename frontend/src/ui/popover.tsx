"use client";

import { Popover as Radix } from "radix-ui";
import type { ReactNode, RefObject } from "react";

type Props = { open: boolean; onOpen: (open: boolean) => void; label: string; trigger: ReactNode; children: ReactNode };

const panel = "z-60 min-h-24 min-w-48 animate-rise rounded-xl border border-line bg-raised shadow-pop";

export function Popover({ open, onOpen, label, trigger, children }: Props) {
  return (
    <Radix.Root open={open} onOpenChange={onOpen}>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content aria-label={label} align="start" sideOffset={6} collisionPadding={8} className={panel}>
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

type AtProps = { anchor: RefObject<HTMLElement | null>; label: string; onClose: () => void; children: ReactNode };

/** Open at an element that is elsewhere; focus goes where `onClose` puts it. */
export function PopoverAt({ anchor, label, onClose, children }: AtProps) {
  return (
    <Radix.Root open onOpenChange={(open) => !open && onClose()}>
      <Radix.Anchor virtualRef={anchor as RefObject<HTMLElement>} />
      <Radix.Portal>
        <Radix.Content
          aria-label={label}
          align="start"
          sideOffset={8}
          collisionPadding={8}
          onCloseAutoFocus={(event) => event.preventDefault()}
          className={panel}
        >
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
