ALTER TABLE users ADD COLUMN week_start BIGINT NOT NULL DEFAULT 1; -- as in the proto
