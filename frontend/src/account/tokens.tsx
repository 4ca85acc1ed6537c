"use client";

import { KeyRound, Plus } from "lucide-react";
import { useEffect, useState } from "react";

import { ask } from "@/api/session";
import { useClock } from "@/time/clock";
import { fromNow, fullDay } from "@/time/words";
import { Button } from "@/ui/button";
import { toast } from "@/ui/toast";

import { useSubmit } from "./form";
import { MadeToken, TokenForm } from "./new-token";
import { Problem, Section } from "./section";

/** A personal access token, as REST shows it. */
export type Token = {
  id: string;
  name: string;
  scopes: string[];
  created_at: string;
  expires_at: string | null;
  last_used_at: string | null;
  token: string | null;
};

/** The personal access tokens: made, shown once, listed and revoked. */
export function Tokens() {
  const [tokens, setTokens] = useState<Token[]>();
  const [failed, setFailed] = useState(false);
  const [making, setMaking] = useState<"form" | Token>();
  useEffect(() => {
    let wanted = true;
    ask<{ access_tokens: Token[] }>("GET", "tokens").then(
      ({ access_tokens }) => wanted && setTokens(access_tokens),
      () => wanted && setFailed(true),
    );
    return () => {
      wanted = false;
    };
  }, []);
  const made = (token: Token) => {
    setMaking(token);
    setTokens([{ ...token, token: null }, ...(tokens ?? [])]);
  };
  return (
    <Section
      title="Access tokens"
      note="With a token, a program or an assistant works with your tasks. It cannot change this account."
    >
      {making === "form" && <TokenForm onMade={made} onCancel={() => setMaking(undefined)} />}
      {making && making !== "form" && <MadeToken token={making} onDone={() => setMaking(undefined)} />}
      {failed && <Problem>The tokens could not be read.</Problem>}
      {tokens && tokens.length > 0 && (
        <ul aria-label="Access tokens" className="divide-y divide-line">
          {tokens.map((token) => (
            <Row
              key={token.id}
              token={token}
              onGone={() => {
                setTokens(tokens.filter(({ id }) => id !== token.id));
                if (making && making !== "form" && making.id === token.id) setMaking(undefined);
              }}
            />
          ))}
        </ul>
      )}
      {!making && (
        <Button onClick={() => setMaking("form")}>
          <Plus className="size-4" /> New token
        </Button>
      )}
    </Section>
  );
}

function Row({ token, onGone }: { token: Token; onGone: () => void }) {
  const { now, zone } = useClock();
  const [asked, setAsked] = useState(false);
  const { busy, refused, submit } = useSubmit(async () => {
    await ask("DELETE", `tokens/${token.id}`);
    toast(`“${token.name}” is revoked`);
    onGone();
  });
  const day = (time: string) => fullDay(Date.parse(time), zone);
  const ended = token.expires_at !== null && Date.parse(token.expires_at) <= now;
  const end = token.expires_at === null ? "no end" : `${ended ? "ended" : "ends"} ${day(token.expires_at)}`;
  const used = token.last_used_at === null ? "never used" : `used ${fromNow(Date.parse(token.last_used_at), now)}`;
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-2 py-3">
      <KeyRound className={ended ? "size-4 shrink-0 text-danger" : "size-4 shrink-0 text-muted"} aria-hidden />
      <div className="min-w-40 flex-1">
        <p className="truncate text-sm font-medium">{token.name}</p>
        <p className="text-[0.8125rem] text-muted">
          {token.scopes.includes("write") ? "Reads and changes" : "Only reads"} · {used} ·{" "}
          <span className={ended ? "text-danger" : undefined}>{end}</span>
        </p>
      </div>
      {asked ? (
        <div role="group" aria-label={`Revoke ${token.name}?`} className="flex items-center gap-2">
          <Button size="sm" look="danger" autoFocus disabled={busy} onClick={() => void submit()}>
            Revoke now
          </Button>
          <Button size="sm" look="ghost" onClick={() => setAsked(false)}>
            Keep
          </Button>
        </div>
      ) : (
        <Button size="sm" aria-label={`Revoke ${token.name}`} onClick={() => setAsked(true)}>
          Revoke
        </Button>
      )}
      {refused && <Problem>{refused.message}</Problem>}
    </li>
  );
}
