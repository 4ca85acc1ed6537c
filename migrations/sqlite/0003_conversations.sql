CREATE TABLE conversations (
    id            BLOB PRIMARY KEY NOT NULL,
    user_id       BLOB NOT NULL REFERENCES users ON DELETE CASCADE,
    title         TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL,
    messages      BIGINT NOT NULL, -- how many
    turn          BLOB,   -- the message that is being answered,
    lease         BLOB,   -- by whoever holds this,
    lease_until   BIGINT, -- until then
    pending       TEXT,   -- JSON of the action that waits for a yes,
    pending_until BIGINT  -- until then
);
CREATE INDEX conversations_user ON conversations (user_id, updated_at, id);

CREATE TABLE messages (
    id              BLOB PRIMARY KEY NOT NULL,
    conversation_id BLOB NOT NULL REFERENCES conversations ON DELETE CASCADE,
    place           BIGINT NOT NULL, -- from 1, without gaps
    role            BIGINT NOT NULL, -- as in the proto
    content         TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    tool_calls      TEXT NOT NULL,   -- JSON array
    UNIQUE (conversation_id, place)
);

CREATE TABLE decisions (
    id              BLOB PRIMARY KEY NOT NULL,
    user_id         BLOB NOT NULL REFERENCES users ON DELETE CASCADE,
    conversation_id BLOB NOT NULL REFERENCES conversations ON DELETE CASCADE,
    message         TEXT NOT NULL,
    intent_type     TEXT NOT NULL,
    confidence      DOUBLE PRECISION NOT NULL,
    params          TEXT NOT NULL,   -- JSON object
    decision_type   TEXT NOT NULL,
    outcome         TEXT NOT NULL,
    response        TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    duration_ms     BIGINT NOT NULL
);
CREATE INDEX decisions_user ON decisions (user_id, created_at, id);
CREATE INDEX decisions_conversation ON decisions (conversation_id);
CREATE INDEX decisions_created ON decisions (created_at);

CREATE TABLE tool_calls (
    decision_id BLOB NOT NULL REFERENCES decisions ON DELETE CASCADE,
    sequence    BIGINT NOT NULL,
    tool        TEXT NOT NULL,
    duration_ms BIGINT NOT NULL,
    call        TEXT NOT NULL,       -- JSON of the whole
    PRIMARY KEY (decision_id, sequence)
) WITHOUT ROWID;
