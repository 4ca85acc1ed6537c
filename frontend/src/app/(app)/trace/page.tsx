import type { Metadata } from "next";

import { TracePage } from "@/trace/trace-page";

export const metadata: Metadata = { title: "Decisions" };

export default function Page() {
  return <TracePage />;
}
