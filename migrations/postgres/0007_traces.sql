-- The W3C traceparent of the request that set a reminder: what rings is part of what it came of.
ALTER TABLE reminders ADD COLUMN traceparent TEXT;
ALTER TABLE firings ADD COLUMN traceparent TEXT;
