"use client";

import dynamic from "next/dynamic";
import { useState } from "react";

import { sentence } from "@/api/clients";
import { Refused } from "@/api/session";
import { discardingAll, useOutbox } from "@/queue/outbox";
import { Button } from "@/ui/button";
import { forgetTexts } from "@/ui/kept-text";
import { toast } from "@/ui/toast";

const Dialog = dynamic(() => import("@/ui/dialog").then(({ Dialog }) => Dialog), { ssr: false });

/** Tells whether the server knows. */
type Act = () => Promise<boolean>;

/** Signs out by `act`; asks first when the server has not heard of everything. */
export function useLeave() {
  const { waiting, refused, blocked } = useOutbox();
  const [asked, setAsked] = useState<Act>();
  const count = waiting + refused.length + blocked.length;
  const go = async (act: Act) => {
    setAsked(undefined);
    try {
      const told = await act();
      forgetTexts();
      if (!told) toast("Signed out here. The server will hear of it as soon as it can be reached.");
    } catch (error) {
      const why = error instanceof Refused ? error.message : sentence(error);
      toast(`${why} You are still signed in.`, { kind: "error" });
    }
  };
  const leave = (act: Act) => {
    if (count > 0) setAsked(() => act);
    else void go(act);
  };
  const discard = (act: Act) => {
    const discardAll = discardingAll();
    return go(async () => {
      const told = await act();
      await discardAll();
      return told;
    });
  };
  const question = asked && (
    <Dialog open title="Sign out?" onClose={() => setAsked(undefined)}>
      <p className="text-sm">
        {count === 1 ? "1 change has" : `${count} changes have`} not reached the server. Signing out discards{" "}
        {count === 1 ? "it" : "them"}.
      </p>
      <div className="mt-4 flex justify-end gap-2">
        <Button autoFocus onClick={() => setAsked(undefined)}>
          Stay
        </Button>
        <Button look="danger" onClick={() => void discard(asked)}>
          Discard and sign out
        </Button>
      </div>
    </Dialog>
  );
  return { leave, question };
}
