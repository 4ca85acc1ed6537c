"use client";

import { Download } from "lucide-react";
import { useState } from "react";

import { deleteAccount, download } from "@/api/session";
import { useLive } from "@/live/store";
import { discardingAll } from "@/queue/outbox";
import { Button } from "@/ui/button";
import { Field } from "@/ui/field";
import { forgetTexts } from "@/ui/kept-text";
import { toast } from "@/ui/toast";

import { Form, useSubmit } from "./form";
import { Problem, Section } from "./section";

/** All that is the account's own: taken along, and ended. */
export function Data({ email }: { email: string }) {
  return (
    <Section title="Your data">
      <Export />
      <Deletion email={email} />
    </Section>
  );
}

function Export() {
  const { busy, refused, submit } = useSubmit(async () => {
    save(await download("me/export"), `todo-${new Date().toISOString().slice(0, 10)}.json`);
  });
  return (
    <div className="space-y-3">
      <p className="text-sm text-muted">
        One JSON file with the account, your tasks with reminders and recurrences, notifications, conversations, what
        the assistant decided, and the list of access tokens.
      </p>
      {refused && <Problem>{refused.message}</Problem>}
      <Button disabled={busy} onClick={() => void submit()}>
        <Download className="size-4" /> {busy ? "Collecting …" : "Download"}
      </Button>
    </div>
  );
}

/** Has the browser keep a file. */
function save(file: Blob, name: string) {
  const address = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}

function Deletion({ email }: { email: string }) {
  const { tasks } = useLive();
  const [asked, setAsked] = useState(false);
  const [password, setPassword] = useState("");
  const { busy, refused, submit } = useSubmit(async () => {
    const discardAll = discardingAll();
    await deleteAccount(password);
    await discardAll();
    forgetTexts();
    toast("Your account is deleted");
  });
  const wrong =
    refused?.fields.password ?? (refused?.code === "INVALID_CREDENTIALS" ? "This is not your password." : undefined);
  const count = tasks.size === 1 ? "your task" : `your ${tasks.size} tasks`;
  return (
    <div className="space-y-3 border-t border-line pt-4">
      <p className="text-sm text-muted">
        Deleting the account removes {tasks.size === 0 ? "your tasks" : count} with reminders and recurrences, all
        notifications, conversations and access tokens, and ends every session. It happens at once, and nobody can bring
        it back.
      </p>
      {asked ? (
        <Form label="Delete the account" className="rounded-xl border border-danger p-4" onSubmit={submit}>
          <input type="email" autoComplete="username" value={email} readOnly hidden />
          <Field
            label="Your password"
            type="password"
            autoComplete="current-password"
            autoFocus
            hint={`Deletes ${email} for good.`}
            value={password}
            error={wrong}
            onChange={(event) => setPassword(event.target.value)}
          />
          {refused && !wrong && <Problem>{refused.message}</Problem>}
          <div className="flex flex-wrap gap-2">
            <Button type="submit" look="danger" disabled={busy || !password}>
              Delete for good
            </Button>
            <Button look="ghost" onClick={() => setAsked(false)}>
              Keep the account
            </Button>
          </div>
        </Form>
      ) : (
        <Button look="danger" onClick={() => setAsked(true)}>
          Delete the account …
        </Button>
      )}
    </div>
  );
}
