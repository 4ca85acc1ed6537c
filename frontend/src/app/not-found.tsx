import { Compass } from "lucide-react";
import Link from "next/link";

import { buttonClass } from "@/ui/button";
import { EmptyState } from "@/ui/empty";

export default function NotFound() {
  return (
    <main className="flex min-h-dvh items-center">
      <h1 className="sr-only">Not found</h1>
      <EmptyState icon={Compass} title="There is nothing here">
        <p>The address may be mistyped, or what was here is gone.</p>
        <Link href="/tasks" className={buttonClass("secondary")}>
          To the tasks
        </Link>
      </EmptyState>
    </main>
  );
}
