"use client";

import { useEffect } from "react";

import { worker } from "@/notify/worker";

/** Has the browser keep the page, so that it starts without its server. */
export function useWorker() {
  useEffect(() => void worker(), []);
}
