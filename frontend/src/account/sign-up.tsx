"use client";

import { useState } from "react";

import { signUp } from "@/api/session";
import { Field } from "@/ui/field";

import { AccountForm, useReturn, useSubmit } from "./form";

export function SignUp() {
  useReturn();
  const [name, setName] = useState("");
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const { busy, refused, submit } = useSubmit(() => signUp(email, password, name, zone));
  const fields = refused?.fields ?? {};
  const taken = refused?.code === "EMAIL_EXISTS" ? "There is an account with this e-mail already." : undefined;
  const named = fields.email ?? fields.password ?? fields.display_name ?? taken;
  return (
    <AccountForm
      title="Make an account"
      action="Sign up"
      busy={busy}
      problem={refused && !named ? refused.message : undefined}
      onSubmit={submit}
      other={{ text: "Have an account?", link: "Sign in", href: "/signin" }}
    >
      <Field
        label="Name"
        autoComplete="name"
        autoFocus
        value={name}
        error={fields.display_name}
        onChange={(event) => setName(event.target.value)}
      />
      <Field
        label="E-mail"
        type="email"
        autoComplete="username"
        value={email}
        error={fields.email ?? taken}
        onChange={(event) => setEmail(event.target.value)}
      />
      <Field
        label="Password"
        type="password"
        autoComplete="new-password"
        hint="At least 8 characters."
        value={password}
        error={fields.password}
        onChange={(event) => setPassword(event.target.value)}
      />
    </AccountForm>
  );
}
