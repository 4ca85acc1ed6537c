"use client";

import dynamic from "next/dynamic";
import { cloneElement, useState, type ComponentProps, type ReactElement, type ReactNode } from "react";

type Props = { trigger: ReactElement<ComponentProps<"button">>; align?: "start" | "end"; children: ReactNode };

const MenuList = dynamic(() => import("./menu-list").then(({ MenuList }) => MenuList), { ssr: false });
export const MenuItem = dynamic(() => import("./menu-list").then(({ MenuItem }) => MenuItem), { ssr: false });
export const MenuChoice = dynamic(() => import("./menu-list").then(({ MenuChoice }) => MenuChoice), { ssr: false });
export const MenuLabel = dynamic(() => import("./menu-list").then(({ MenuLabel }) => MenuLabel), { ssr: false });
export const MenuLine = dynamic(() => import("./menu-list").then(({ MenuLine }) => MenuLine), { ssr: false });

/** What a button opens; its code is loaded when it is first pointed at or opened. */
export function Menu({ trigger, align = "end", children }: Props) {
  const [open, setOpen] = useState<boolean>();
  if (open === undefined) {
    return cloneElement(trigger, {
      "aria-haspopup": "menu",
      "aria-expanded": false,
      onPointerEnter: () => void import("./menu-list").catch(() => undefined),
      onClick: () => setOpen(true),
    });
  }
  return (
    <MenuList open={open} onOpen={setOpen} trigger={trigger} align={align}>
      {children}
    </MenuList>
  );
}
