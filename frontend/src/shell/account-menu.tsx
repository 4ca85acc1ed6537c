"use client";

import { ChevronsUpDown, Keyboard, LogOut, Monitor, Moon, ShieldOff, Sun, UserRound } from "lucide-react";

import { signOut, signOutEverywhere } from "@/api/session";
import { Menu, MenuChoice, MenuItem, MenuLabel, MenuLine } from "@/ui/menu";
import { setTheme, useTheme } from "@/ui/theme";

import { useLeave } from "./leave";
import { useGo } from "./navigate";
import { useShell } from "./shell";

/** Who is signed in, the theme, and ways out. */
export function AccountMenu() {
  const { user, show } = useShell();
  const theme = useTheme();
  const go = useGo();
  const { leave, question } = useLeave();
  return (
    <div className="border-t border-line p-2">
      <Menu
        align="start"
        trigger={
          <button type="button" className="flex w-full items-center gap-3 rounded-lg p-2 text-left hover:bg-hover">
            <span
              aria-hidden
              className="flex size-8 shrink-0 items-center justify-center rounded-full bg-linear-to-br from-accent to-accent-2 text-sm font-semibold text-white"
            >
              {[...user.displayName][0]?.toUpperCase()}
            </span>
            <span className="min-w-0 flex-1">
              <span className="block truncate text-sm font-medium">{user.displayName}</span>
              <span className="block truncate text-xs text-muted">{user.email}</span>
            </span>
            <ChevronsUpDown className="size-4 shrink-0 text-muted" aria-hidden />
          </button>
        }
      >
        <MenuItem onSelect={() => go("/account")}>
          <UserRound /> Account
        </MenuItem>
        <MenuLine />
        <MenuLabel>Theme</MenuLabel>
        <MenuChoice chosen={theme === "system"} onSelect={() => setTheme("system")}>
          <Monitor /> As the system
        </MenuChoice>
        <MenuChoice chosen={theme === "light"} onSelect={() => setTheme("light")}>
          <Sun /> Light
        </MenuChoice>
        <MenuChoice chosen={theme === "dark"} onSelect={() => setTheme("dark")}>
          <Moon /> Dark
        </MenuChoice>
        <MenuLine />
        <MenuItem onSelect={() => show("help")}>
          <Keyboard /> Keys
        </MenuItem>
        <MenuLine />
        <MenuItem onSelect={() => leave(signOut)}>
          <LogOut /> Sign out
        </MenuItem>
        <MenuItem danger onSelect={() => leave(signOutEverywhere)}>
          <ShieldOff /> Sign out everywhere
        </MenuItem>
      </Menu>
      {question}
    </div>
  );
}
