-- Times are microseconds since 1970 in UTC, ids are 16 bytes, keys are folded (NFC, lower case) and compare bytewise:
-- the same on SQLite and Postgres, so that both sort and match alike.

CREATE TABLE users (
    id            BLOB PRIMARY KEY NOT NULL,
    email         TEXT NOT NULL UNIQUE, -- folded
    password_hash TEXT NOT NULL,        -- PHC string
    display_name  TEXT NOT NULL,
    time_zone     TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    disabled_at   BIGINT
);

-- The change counter of each owner. Its row is locked first by every write, so revision order is commit order.
CREATE TABLE owners (
    user_id  BLOB PRIMARY KEY NOT NULL REFERENCES users ON DELETE CASCADE,
    revision BIGINT NOT NULL, -- of the last change
    floor    BIGINT NOT NULL  -- up to here the change log is purged
);

CREATE TABLE refresh_tokens (
    hash       BLOB PRIMARY KEY NOT NULL, -- SHA-256
    user_id    BLOB NOT NULL REFERENCES users ON DELETE CASCADE,
    family     BLOB NOT NULL, -- one sign-in and all that was refreshed from it
    expires_at BIGINT NOT NULL,
    rotated_at BIGINT
);
CREATE INDEX refresh_tokens_user ON refresh_tokens (user_id);
CREATE INDEX refresh_tokens_family ON refresh_tokens (family);

-- What counts against a rate limit.
CREATE TABLE attempts (
    id  BLOB PRIMARY KEY NOT NULL,
    key TEXT NOT NULL,
    at  BIGINT NOT NULL
);
CREATE INDEX attempts_key ON attempts (key, at);
CREATE INDEX attempts_at ON attempts (at);

CREATE TABLE tasks (
    n                INTEGER PRIMARY KEY, -- ties the row to the text index
    id               BLOB NOT NULL UNIQUE,
    user_id          BLOB NOT NULL REFERENCES users ON DELETE CASCADE,
    title            TEXT NOT NULL,
    title_key        TEXT NOT NULL,
    description      TEXT NOT NULL,
    status           BIGINT NOT NULL, -- as in the proto
    priority         BIGINT NOT NULL, -- as in the proto
    tags             TEXT NOT NULL,   -- JSON array
    due_at           BIGINT,
    due_asc          BIGINT NOT NULL, -- due_at or the greatest value: tasks without come last ...
    due_desc         BIGINT NOT NULL, -- due_at or the least value: ... either way
    due_all_day      BOOLEAN NOT NULL,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL,
    completed_at     BIGINT,
    revision         BIGINT NOT NULL,
    content_revision BIGINT NOT NULL, -- does not count the firing of reminders
    source_task_id   BLOB,
    request_hash     BLOB,            -- of the create, if the client chose the id
    search           TEXT NOT NULL    -- folded title, description and tags
);
-- One for each sort; the status is there to be passed over without reading the row.
CREATE INDEX tasks_created ON tasks (user_id, created_at, id, status);
CREATE INDEX tasks_updated ON tasks (user_id, updated_at, id, status);
CREATE INDEX tasks_due_asc ON tasks (user_id, due_asc, id, status);
CREATE INDEX tasks_due_desc ON tasks (user_id, due_desc, id, status);
CREATE INDEX tasks_priority ON tasks (user_id, priority, id, status);
CREATE INDEX tasks_title ON tasks (user_id, title_key, id, status);
CREATE INDEX tasks_status ON tasks (user_id, status, due_asc, due_all_day);
CREATE INDEX tasks_source ON tasks (source_task_id, status) WHERE source_task_id IS NOT NULL;

CREATE VIRTUAL TABLE tasks_search USING fts5 (
    search, content = 'tasks', content_rowid = 'n', tokenize = 'trigram case_sensitive 1', detail = 'full'
);
CREATE TRIGGER tasks_search_insert AFTER INSERT ON tasks BEGIN
    INSERT INTO tasks_search (rowid, search) VALUES (new.n, new.search);
END;
CREATE TRIGGER tasks_search_delete AFTER DELETE ON tasks BEGIN
    INSERT INTO tasks_search (tasks_search, rowid, search) VALUES ('delete', old.n, old.search);
END;
CREATE TRIGGER tasks_search_update AFTER UPDATE OF search ON tasks WHEN old.search <> new.search BEGIN
    INSERT INTO tasks_search (tasks_search, rowid, search) VALUES ('delete', old.n, old.search);
    INSERT INTO tasks_search (rowid, search) VALUES (new.n, new.search);
END;

CREATE TABLE task_tags (
    user_id BLOB NOT NULL,
    tag_key TEXT NOT NULL,
    task_id BLOB NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    tag     TEXT NOT NULL,
    PRIMARY KEY (user_id, tag_key, task_id)
) WITHOUT ROWID;
CREATE INDEX task_tags_task ON task_tags (task_id);

CREATE TABLE reminders (
    id              BLOB PRIMARY KEY NOT NULL,
    task_id         BLOB NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    user_id         BLOB NOT NULL,
    position        BIGINT NOT NULL,
    trigger_at      BIGINT,
    before_due      BIGINT,          -- seconds
    state           BIGINT NOT NULL, -- 1 pending, 2 fired, 3 cancelled
    created_at      BIGINT NOT NULL,
    notification_id BLOB             -- a snooze: rings this notification again, and is none of the task's reminders
);
CREATE INDEX reminders_task ON reminders (task_id);
CREATE INDEX reminders_due ON reminders (trigger_at, id) WHERE state = 1;

-- A recurrence and how far it has come. The row outlives its task by the time an undo may bring it back.
CREATE TABLE series (
    id         BLOB PRIMARY KEY NOT NULL,
    task_id    BLOB NOT NULL, -- the source
    user_id    BLOB NOT NULL REFERENCES users ON DELETE CASCADE,
    recurrence TEXT NOT NULL, -- JSON of the rule
    decided_to BIGINT,        -- the last slot decided
    due_at     BIGINT,        -- when the next one is to be decided; null if there is none
    blocked    BOOLEAN NOT NULL,
    ended_at   BIGINT         -- its task was deleted or the recurrence cleared
);
CREATE INDEX series_task ON series (task_id);
CREATE INDEX series_due ON series (due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX series_ended ON series (ended_at) WHERE ended_at IS NOT NULL;

-- The decision to make a slot's task: one row a slot for as long as the series lives, so it is never made again. The
-- task's id is derived from the series and the slot, or from the task whose closing made it: two of those may be due alike.
CREATE TABLE slots (
    series_id     BLOB NOT NULL REFERENCES series ON DELETE CASCADE,
    slot          BIGINT NOT NULL, -- when its task is due
    task_id       BLOB NOT NULL,
    event_id      BLOB NOT NULL,
    epoch         BIGINT NOT NULL, -- how often the slot was withdrawn by a change of the rule and came back
    state         BIGINT NOT NULL, -- 1 decided, 2 made, 3 withdrawn
    decided_at    BIGINT NOT NULL,
    announcement  BLOB NOT NULL, -- what is published, fixed at the decision
    made_revision BIGINT,
    PRIMARY KEY (series_id, slot, task_id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX slots_task ON slots (task_id);
CREATE INDEX slots_unseen ON slots (decided_at) WHERE state = 1;

-- The decision that a reminder fired, kept until its event has long been seen.
CREATE TABLE firings (
    event_id        BLOB PRIMARY KEY NOT NULL,
    notification_id BLOB NOT NULL,
    reminder_id     BLOB NOT NULL,
    task_id         BLOB NOT NULL,
    user_id         BLOB NOT NULL REFERENCES users ON DELETE CASCADE,
    task_title      TEXT NOT NULL,
    due_at          BIGINT,
    trigger_at      BIGINT NOT NULL,
    fired_at        BIGINT NOT NULL,
    seen            BOOLEAN NOT NULL
);
CREATE INDEX firings_unseen ON firings (fired_at) WHERE NOT seen;
CREATE INDEX firings_fired ON firings (fired_at);

CREATE TABLE notifications (
    id            BLOB PRIMARY KEY NOT NULL,
    user_id       BLOB NOT NULL REFERENCES users ON DELETE CASCADE,
    reminder_id   BLOB NOT NULL,
    task_id       BLOB NOT NULL,
    task_title    TEXT NOT NULL,
    due_at        BIGINT,
    triggered_at  BIGINT NOT NULL,
    read_at       BIGINT,
    snoozed_until BIGINT,
    revision      BIGINT NOT NULL
);
CREATE INDEX notifications_user ON notifications (user_id, triggered_at, id);
CREATE INDEX notifications_unread ON notifications (user_id) WHERE read_at IS NULL;
CREATE INDEX notifications_task ON notifications (task_id) WHERE snoozed_until IS NOT NULL;

-- One row a revision: the feed, what undo restores, and the memory of what was deleted. Kept for 7 days.
CREATE TABLE changes (
    user_id   BLOB NOT NULL REFERENCES users ON DELETE CASCADE,
    revision  BIGINT NOT NULL,
    kind      BIGINT NOT NULL,
    entity_id BLOB NOT NULL,
    before    TEXT,          -- JSON of the task before; null if there was none
    fields    TEXT NOT NULL, -- JSON array of the names of the fields that changed
    at        BIGINT NOT NULL,
    PRIMARY KEY (user_id, revision)
) WITHOUT ROWID;
CREATE INDEX changes_entity ON changes (entity_id);
CREATE INDEX changes_at ON changes (at);

CREATE TABLE outbox (
    id           BLOB PRIMARY KEY NOT NULL,
    topic        TEXT NOT NULL,
    event        BLOB NOT NULL, -- the CloudEvent, fixed at the commit
    created_at   BIGINT NOT NULL,
    attempts     BIGINT NOT NULL,
    due_at       BIGINT,        -- when to publish, or try again; null once published
    published_at BIGINT
);
CREATE INDEX outbox_due ON outbox (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX outbox_published ON outbox (published_at) WHERE published_at IS NOT NULL;

CREATE TABLE idempotency (
    user_id    BLOB NOT NULL REFERENCES users ON DELETE CASCADE,
    key        TEXT NOT NULL,
    request    BLOB NOT NULL, -- SHA-256 of rpc and request
    response   BLOB NOT NULL,
    revision   BIGINT,        -- of the change, if there was one
    announced  BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, key)
) WITHOUT ROWID;
CREATE INDEX idempotency_created ON idempotency (created_at);

CREATE TABLE dead_letters (
    id       BLOB PRIMARY KEY NOT NULL,
    topic    TEXT NOT NULL, -- the topic it failed on
    event    BLOB NOT NULL,
    reason   TEXT NOT NULL,
    at       BIGINT NOT NULL
);
CREATE INDEX dead_letters_at ON dead_letters (at, id);
