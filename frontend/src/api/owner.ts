import { createContextKey } from "@connectrpc/connect";

/** Whose call it is, where that matters. */
export const owner = createContextKey<string | undefined>(undefined);
