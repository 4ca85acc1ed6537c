import { Channel } from "@/api/tabs";

import { set, type Live } from "./store";

type Owner = Pick<Live, "zone" | "weekStart">;

const channel = new Channel<Owner>("todo.owner");
channel.listen(set);

/** Shows everything in another zone, or with weeks that begin on another day, in all tabs. */
export function own(change: Owner) {
  set(change);
  channel.post(change);
}
