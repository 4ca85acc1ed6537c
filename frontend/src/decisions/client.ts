import { createClient } from "@connectrpc/connect";

import { transport } from "@/api/clients";
import { ObservabilityService } from "@/gen/todo/v1/observability_service_pb";

export const decisions = createClient(ObservabilityService, transport);

/** How long decisions are kept, in days. */
export const KEPT = 30;
