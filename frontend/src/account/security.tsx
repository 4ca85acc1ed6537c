"use client";

import { useState } from "react";

import { ask, signOutEverywhere } from "@/api/session";
import { useLeave } from "@/shell/leave";
import { Button } from "@/ui/button";
import { Field } from "@/ui/field";
import { toast } from "@/ui/toast";

import { Form, useSubmit } from "./form";
import { Problem, Section } from "./section";

/** The password, and the way out of every session. */
export function Security({ email }: { email: string }) {
  return (
    <Section title="Password and sessions">
      <Password email={email} />
      <SignOut />
    </Section>
  );
}

function Password({ email }: { email: string }) {
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const { busy, refused, submit } = useSubmit(async () => {
    await ask("POST", "password", { current_password: current, new_password: next });
    setCurrent("");
    setNext("");
    toast("Password changed; other sessions are ended");
  });
  const { current_password, new_password } = refused?.fields ?? {};
  const wrong =
    current_password ?? (refused?.code === "INVALID_CREDENTIALS" ? "This is not the current password." : undefined);
  return (
    <Form onSubmit={submit}>
      {/* For password managers. */}
      <input type="email" autoComplete="username" value={email} readOnly hidden />
      <Field
        label="Current password"
        type="password"
        autoComplete="current-password"
        value={current}
        error={wrong}
        onChange={(event) => setCurrent(event.target.value)}
      />
      <Field
        label="New password"
        type="password"
        autoComplete="new-password"
        hint="At least 8 characters. Every session but this one ends; access tokens stay."
        value={next}
        error={new_password}
        onChange={(event) => setNext(event.target.value)}
      />
      {refused && !wrong && !new_password && <Problem>{refused.message}</Problem>}
      <Button type="submit" disabled={busy || !current || !next}>
        Change password
      </Button>
    </Form>
  );
}

function SignOut() {
  const { leave, question } = useLeave();
  return (
    <div className="space-y-3 border-t border-line pt-4">
      <p className="text-sm text-muted">
        Ends every session of this account, this one too. Access tokens below stay until they are revoked.
      </p>
      <Button onClick={() => leave(signOutEverywhere)}>Sign out everywhere</Button>
      {question}
    </div>
  );
}
