CREATE TABLE conversations (
    id            UUID PRIMARY KEY NOT NULL,
    user_id       UUID NOT NULL REFERENCES users ON DELETE CASCADE,
    title         TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL,
    messages      BIGINT NOT NULL, -- how many
    turn          UUID,   -- the message that is being answered,
    lease         UUID,   -- by whoever holds this,
    lease_until   BIGINT, -- until then
    pending       TEXT,   -- JSON of the action that waits for a yes,
    pending_until BIGINT  -- until then
);
CREATE INDEX conversations_user ON conversations (user_id, updated_at, id);

CREATE TABLE messages (
    id              UUID PRIMARY KEY NOT NULL,
    conversation_id UUID NOT NULL REFERENCES conversations ON DELETE CASCADE,
    place           BIGINT NOT NULL, -- from 1, without gaps
    role            BIGINT NOT NULL, -- as in the proto
    content         TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    tool_calls      TEXT NOT NULL,   -- JSON array
    UNIQUE (conversation_id, place)
);

CREATE TABLE decisions (
    id              UUID PRIMARY KEY NOT NULL,
    user_id         UUID NOT NULL REFERENCES users ON DELETE CASCADE,
    conversation_id UUID NOT NULL REFERENCES conversations ON DELETE CASCADE,
    message         TEXT NOT NULL,
    intent_type     TEXT COLLATE "C" NOT NULL,
    confidence      DOUBLE PRECISION NOT NULL,
    params          TEXT NOT NULL,   -- JSON object
    decision_type   TEXT COLLATE "C" NOT NULL,
    outcome         TEXT COLLATE "C" NOT NULL,
    response        TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    duration_ms     BIGINT NOT NULL
);
CREATE INDEX decisions_user ON decisions (user_id, created_at, id);
CREATE INDEX decisions_conversation ON decisions (conversation_id);
CREATE INDEX decisions_created ON decisions (created_at);

CREATE TABLE tool_calls (
    decision_id UUID NOT NULL REFERENCES decisions ON DELETE CASCADE,
    sequence    BIGINT NOT NULL,
    tool        TEXT COLLATE "C" NOT NULL,
    duration_ms BIGINT NOT NULL,
    call        TEXT NOT NULL,       -- JSON of the whole
    PRIMARY KEY (decision_id, sequence)
);
