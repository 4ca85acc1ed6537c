"use client";

import { useState } from "react";

import { ask } from "@/api/session";
import { Button } from "@/ui/button";
import { Field, inputClass } from "@/ui/field";
import { Segments } from "@/ui/segments";

import { CopyText } from "./copy";
import { expiry, lives } from "./expiry";
import { useSubmit } from "./form";
import { clients } from "./mcp";
import { Problem } from "./section";
import type { Token } from "./tokens";

/** Makes a token. */
export function TokenForm({ onMade, onCancel }: { onMade: (token: Token) => void; onCancel: () => void }) {
  const [name, setName] = useState("");
  const [scope, setScope] = useState<"read" | "write">("write");
  const [days, setDays] = useState<string>("90");
  const { busy, refused, submit } = useSubmit(async () => {
    const body = { name, scopes: [scope], expires_at: expiry(days, Date.now()) };
    onMade(await ask<Token>("POST", "tokens", body));
  });
  const { name: wrongName, expires_at: wrongExpiry } = refused?.fields ?? {};
  return (
    <form
      noValidate
      aria-label="New access token"
      className="space-y-4 rounded-xl border border-line p-4"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <Field
        label="Token name"
        autoFocus
        placeholder="My agent"
        maxLength={200}
        value={name}
        error={wrongName}
        onChange={(event) => setName(event.target.value)}
      />
      <div className="space-y-1.5">
        <p className="text-sm font-medium">It may</p>
        <Segments
          label="It may"
          value={scope}
          onChange={setScope}
          options={[
            { value: "write", label: "Read and change tasks" },
            { value: "read", label: "Only read" },
          ]}
        />
      </div>
      <label className="block space-y-1.5">
        <span className="block text-sm font-medium">It ends</span>
        <select
          value={days}
          onChange={(event) => setDays(event.target.value)}
          className={`${inputClass} h-10 pointer-coarse:h-11`}
        >
          {lives.map(({ value, label }) => (
            <option key={value} value={value}>
              {value ? `After ${label.toLowerCase()}` : label}
            </option>
          ))}
        </select>
      </label>
      {refused && !wrongName && <Problem>{wrongExpiry ?? refused.message}</Problem>}
      <div className="flex gap-2">
        <Button type="submit" look="primary" disabled={busy}>
          Make token
        </Button>
        <Button look="ghost" onClick={onCancel}>
          Cancel
        </Button>
      </div>
    </form>
  );
}

/** A token that was just made, for the only time, and what to paste into clients. */
export function MadeToken({ token, onDone }: { token: Token; onDone: () => void }) {
  const all = clients(window.location.origin, token.token ?? "");
  const [chosen, setChosen] = useState("claude-code");
  const client = all.find(({ id }) => id === chosen) ?? all[0];
  return (
    <div role="group" aria-label={`The token ${token.name}`} className="space-y-4 rounded-xl border border-accent p-4">
      <div className="space-y-2">
        <p className="text-sm font-medium">Copy “{token.name}” now: it is not shown again.</p>
        <CopyText label="The token" text={token.token ?? ""} />
      </div>
      {client && (
        <div className="space-y-2">
          <label className="block space-y-1.5">
            <span className="block text-sm font-medium">For an assistant that speaks MCP</span>
            <select
              value={client.id}
              onChange={(event) => setChosen(event.target.value)}
              className={`${inputClass} h-10 pointer-coarse:h-11`}
            >
              {all.map(({ id, name }) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
            </select>
          </label>
          <p className="text-[0.8125rem] text-muted">{client.where}:</p>
          <CopyText label={`For ${client.name}`} text={client.text} />
        </div>
      )}
      <Button onClick={onDone}>Done</Button>
    </div>
  );
}
