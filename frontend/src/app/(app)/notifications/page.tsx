import type { Metadata } from "next";

import { InboxPage } from "@/inbox/inbox-page";

export const metadata: Metadata = { title: "Notifications" };

export default function Page() {
  return <InboxPage />;
}
