"use client";

import { useEffect, useState } from "react";

import { ask } from "@/api/session";
import { usePlaces } from "@/shell/places";
import { useShell } from "@/shell/shell";
import { useShortcuts } from "@/shell/shortcuts";
import { TopBar } from "@/shell/top-bar";
import { Button } from "@/ui/button";
import { Skeleton } from "@/ui/skeleton";

import { Data } from "./data";
import { Preferences } from "./preferences";
import { Profile, type Me } from "./profile";
import { Problem } from "./section";
import { Security } from "./security";
import { Tokens } from "./tokens";

/** All that is the account's own: who, how time and the page look, ways in, and ways out. */
export function AccountPage() {
  const { user } = useShell();
  const [me, setMe] = useState<Me>();
  const [failed, setFailed] = useState(false);
  const [tries, setTries] = useState(0);
  useShortcuts(usePlaces({}));
  useEffect(() => {
    let wanted = true;
    ask<Me>("GET", "me").then(
      (read) => wanted && setMe(read),
      () => wanted && setFailed(true),
    );
    return () => {
      wanted = false;
    };
  }, [user.id, tries]);
  const again = () => {
    setFailed(false);
    setTries(tries + 1);
  };
  return (
    <main id="main" className="flex min-w-0 flex-1 flex-col">
      <TopBar title="Account" />
      <div className="min-h-0 w-full flex-1 overflow-y-auto">
        <div className="mx-auto max-w-4xl space-y-4 px-3 pt-1 pb-16 sm:px-6">
          {me ? (
            <>
              <Profile me={me} onChange={setMe} />
              <Preferences me={me} onChange={setMe} />
              <Security email={me.email} />
              <Tokens />
              <Data email={me.email} />
            </>
          ) : failed ? (
            <div className="space-y-3 pt-4">
              <Problem>The account could not be read.</Problem>
              <Button onClick={again}>Try again</Button>
            </div>
          ) : (
            <Skeleton rows={5} />
          )}
        </div>
      </div>
    </main>
  );
}
