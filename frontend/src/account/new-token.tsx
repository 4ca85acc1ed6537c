"use client";

import { useState } from "react";

import { ask } from "@/api/session";
import { Button } from "@/ui/button";
import { Choice, Field } from "@/ui/field";
import { Segments } from "@/ui/segments";

import { CopyText } from "./copy";
import { expiry, lives } from "./expiry";
import { Form, useSubmit } from "./form";
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
    <Form label="New access token" className="rounded-xl border border-line p-4" onSubmit={submit}>
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
      <Choice
        label="It ends"
        value={days}
        options={lives.map(({ value, label }) => ({ value, label: value ? `After ${label.toLowerCase()}` : label }))}
        onChange={setDays}
      />
      {refused && !wrongName && <Problem>{wrongExpiry ?? refused.message}</Problem>}
      <div className="flex gap-2">
        <Button type="submit" look="primary" disabled={busy}>
          Make token
        </Button>
        <Button look="ghost" onClick={onCancel}>
          Cancel
        </Button>
      </div>
    </Form>
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
          <Choice
            label="For an assistant that speaks MCP"
            value={client.id}
            options={all.map(({ id, name }) => ({ value: id, label: name }))}
            onChange={setChosen}
          />
          <p className="text-[0.8125rem] text-muted">{client.where}:</p>
          <CopyText label={`For ${client.name}`} text={client.text} />
        </div>
      )}
      <Button onClick={onDone}>Done</Button>
    </div>
  );
}
