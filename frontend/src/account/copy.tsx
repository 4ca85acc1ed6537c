"use client";

import { Check, Copy } from "lucide-react";
import { useEffect, useRef, useState } from "react";

import { Button } from "@/ui/button";

/** How long it says that it was copied, in milliseconds. */
const SAID = 2_000;

/** Text to take elsewhere, with a button that copies it; where the browser does not let it, the text is selected. */
export function CopyText({ label, text }: { label: string; text: string }) {
  const [said, setSaid] = useState<"copied" | "selected">();
  const shown = useRef<HTMLPreElement>(null);
  useEffect(() => {
    if (!said) return;
    const timer = setTimeout(() => setSaid(undefined), SAID);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setSaid("copied");
    } catch {
      if (shown.current) window.getSelection()?.selectAllChildren(shown.current);
      setSaid("selected");
    }
  };
  return (
    <div
      role="group"
      aria-label={label}
      className="flex flex-col items-start gap-2 rounded-lg bg-sunken p-2 sm:flex-row"
    >
      <pre
        ref={shown}
        className="min-w-0 flex-1 px-1 py-1 font-mono text-xs break-all whitespace-pre-wrap sm:self-center"
      >
        {text}
      </pre>
      <Button size="sm" onClick={() => void copy()} aria-label={`Copy: ${label}`}>
        {said === "copied" ? <Check className="size-4" /> : <Copy className="size-4" />}
        <span aria-live="polite">{said === "copied" ? "Copied" : said ? "Selected" : "Copy"}</span>
      </Button>
    </div>
  );
}
