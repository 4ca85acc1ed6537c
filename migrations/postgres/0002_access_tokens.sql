CREATE TABLE access_tokens (
    id           UUID PRIMARY KEY NOT NULL,
    user_id      UUID NOT NULL REFERENCES users ON DELETE CASCADE,
    hash         BYTEA NOT NULL UNIQUE, -- SHA-256
    name         TEXT NOT NULL,
    scope        BIGINT NOT NULL, -- the greatest, as in the proto
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT,
    last_used_at BIGINT           -- to the hour
);
CREATE INDEX access_tokens_user ON access_tokens (user_id, created_at, id);
