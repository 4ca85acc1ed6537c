-- Browsers to which the reminders of an owner are pushed.
CREATE TABLE push_subscriptions (
    id         UUID PRIMARY KEY NOT NULL, -- derived from what the browser said
    user_id    UUID NOT NULL REFERENCES users ON DELETE CASCADE,
    endpoint   TEXT NOT NULL,
    p256dh     BYTEA NOT NULL,
    auth       BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    sent       BIGINT NOT NULL, -- up to this revision of the owner all that rang is sent
    rung       BIGINT NOT NULL, -- at this one something rang last
    attempts   BIGINT NOT NULL, -- that failed in a row
    due_at     BIGINT           -- when to send; null where nothing rang
);
CREATE INDEX push_subscriptions_user ON push_subscriptions (user_id, created_at, id);
CREATE INDEX push_subscriptions_due ON push_subscriptions (due_at) WHERE due_at IS NOT NULL;
