import { Chip } from "@/ui/chip";

import { outcomeName, outcomeTone } from "./words";

export function Outcome({ outcome }: { outcome: string }) {
  return (
    <span className="shrink-0" title={outcome}>
      <Chip tone={outcomeTone(outcome)}>{outcomeName(outcome)}</Chip>
    </span>
  );
}
