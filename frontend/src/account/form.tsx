"use client";

import clsx from "clsx";
import Link from "next/link";
import { useRouter } from "next/navigation";
import { useEffect, useState, type ReactNode } from "react";

import { Refused, renew, useSession } from "@/api/session";
import { Button } from "@/ui/button";
import { Logo } from "@/ui/logo";

import { returnPath } from "./return-path";
import { Problem } from "./section";

/** Where one goes once signed in, and at once if one is already. */
export function useReturn() {
  const router = useRouter();
  const session = useSession();
  useEffect(() => {
    if (session.status === "unknown") renew().catch(() => undefined);
    if (session.status === "signedIn") router.replace(returnPath(window.location.search));
  }, [session.status, router]);
}

/** Sends a form, and holds what was refused. */
export function useSubmit(act: () => Promise<void>) {
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<Refused>();
  const submit = async () => {
    setBusy(true);
    setRefused(undefined);
    try {
      await act();
    } catch (error) {
      setRefused(error instanceof Refused ? error : new Refused("Something went wrong. Try again.", "INTERNAL"));
    } finally {
      setBusy(false);
    }
  };
  return { busy, refused, submit };
}

type FormProps = { label?: string; className?: string; onSubmit: () => void; children: ReactNode };

/** A form that is judged by the server alone. */
export function Form({ label, className, onSubmit, children }: FormProps) {
  return (
    <form
      noValidate
      aria-label={label}
      className={clsx("space-y-4", className)}
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
    >
      {children}
    </form>
  );
}

type Props = {
  title: string;
  action: string;
  busy: boolean;
  /** What is wrong with the whole, not with one field. */
  problem?: string;
  onSubmit: () => void;
  children: ReactNode;
  other: { text: string; link: string; href: string };
};

export function AccountForm({ title, action, busy, problem, onSubmit, children, other }: Props) {
  return (
    <main className="flex min-h-dvh flex-col items-center justify-center px-4 py-10">
      <Link href="/" className="mb-8 rounded-lg">
        <Logo />
      </Link>
      <div className="w-full max-w-sm rounded-2xl border border-line bg-surface p-6 shadow-sm sm:p-8">
        <h1 className="mb-6 text-xl font-semibold tracking-tight">{title}</h1>
        <Form onSubmit={onSubmit}>
          {children}
          {problem && <Problem>{problem}</Problem>}
          <Button type="submit" look="primary" size="lg" disabled={busy} className="w-full">
            {action}
          </Button>
        </Form>
      </div>
      <p className="mt-6 text-sm text-muted">
        {other.text}{" "}
        <Link href={other.href} className="rounded font-medium text-accent-ink underline-offset-4 hover:underline">
          {other.link}
        </Link>
      </p>
    </main>
  );
}
