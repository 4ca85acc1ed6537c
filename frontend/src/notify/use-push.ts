"use client";

import { ConnectError } from "@connectrpc/connect";
import { useEffect, useState } from "react";

import { sentence } from "@/api/clients";
import { onSignOut } from "@/api/session";
import { toast } from "@/ui/toast";

import { keep, state as stateOf, subscribe, unsubscribe, type State } from "./push";

/** Whether reminders are pushed to this browser, and how to turn that on and off. */
export function usePush(allowed: boolean) {
  const [state, setState] = useState<State>("none");
  useEffect(() => {
    let stale = false;
    if (allowed)
      stateOf().then(
        (state) => stale || setState(state),
        () => undefined,
      );
    return () => {
      stale = true;
    };
  }, [allowed]);
  const turn = async (on: boolean) => {
    try {
      await (on ? subscribe() : unsubscribe());
      setState(on ? "on" : "off");
    } catch (error) {
      const said = error instanceof ConnectError ? sentence(error) : "This browser's push service cannot be reached.";
      toast(said, { kind: "error" });
    }
  };
  return { state, turn };
}

/** Keeps the subscription of this browser in step with who is signed in. */
export function useKeptPush(userId: string | undefined) {
  useEffect(() => {
    if (userId) void keep().catch(() => undefined);
  }, [userId]);
  useEffect(() => {
    const end = onSignOut(unsubscribe);
    return () => void end();
  }, []);
}
