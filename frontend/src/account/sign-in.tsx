"use client";

import { useState } from "react";

import { signIn } from "@/api/session";
import { Field } from "@/ui/field";

import { AccountForm, useReturn, useSubmit } from "./form";

export function SignIn() {
  useReturn();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const { busy, refused, submit } = useSubmit(() => signIn(email, password));
  const fields = refused?.fields ?? {};
  return (
    <AccountForm
      title="Welcome back"
      action="Sign in"
      busy={busy}
      problem={refused && !fields.email && !fields.password ? refused.message : undefined}
      onSubmit={submit}
      other={{ text: "New here?", link: "Make an account", href: "/signup" }}
    >
      <Field
        label="E-mail"
        type="email"
        autoComplete="username"
        autoFocus
        value={email}
        error={fields.email}
        onChange={(event) => setEmail(event.target.value)}
      />
      <Field
        label="Password"
        type="password"
        autoComplete="current-password"
        value={password}
        error={fields.password}
        onChange={(event) => setPassword(event.target.value)}
      />
    </AccountForm>
  );
}
