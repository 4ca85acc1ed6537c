"use client";

import { useState } from "react";

import { ask, rename } from "@/api/session";
import { Button } from "@/ui/button";
import { Field } from "@/ui/field";
import { toast } from "@/ui/toast";

import { Form, useSubmit } from "./form";
import { Problem, Section } from "./section";

/** An account, as REST shows it. */
export type Me = { id: string; email: string; display_name: string; time_zone: string; week_start: string };

type Props = { me: Me; onChange: (me: Me) => void };

export function Profile({ me, onChange }: Props) {
  const [name, setName] = useState(me.display_name);
  const { busy, refused, submit } = useSubmit(async () => {
    const changed = await ask<Me>("PATCH", "me", { display_name: name });
    onChange(changed);
    setName(changed.display_name);
    rename(changed.display_name);
    toast("Name saved");
  });
  const wrong = refused?.fields.display_name;
  return (
    <Section title="Profile" note={me.email}>
      <Form onSubmit={submit}>
        <Field
          label="Name"
          autoComplete="name"
          maxLength={200}
          value={name}
          error={wrong}
          onChange={(event) => setName(event.target.value)}
        />
        {refused && !wrong && <Problem>{refused.message}</Problem>}
        <Button type="submit" disabled={busy || name === me.display_name}>
          Save name
        </Button>
      </Form>
    </Section>
  );
}
