-- Tables that every service keeps in its own schema: events on their way out, events already applied, replies to
-- repeated requests, and ownership with fencing tokens. Names are unqualified; the connection's search_path decides.

CREATE TABLE outbox (
    seq        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id   uuid NOT NULL UNIQUE,
    subject    text NOT NULL,
    payload    bytea NOT NULL,
    headers    jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN outbox.headers IS 'W3C trace context of the cause';

CREATE TABLE inbox (
    consumer   text NOT NULL,
    event_id   uuid NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, event_id)
);
CREATE INDEX inbox_applied_at ON inbox (applied_at);

CREATE TABLE idempotency_key (
    principal   text NOT NULL,
    key         text NOT NULL,
    fingerprint bytea NOT NULL,
    reply       bytea,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (principal, key)
);
COMMENT ON COLUMN idempotency_key.fingerprint IS 'SHA-256 of the request, so that a reused key with another body is refused';
COMMENT ON COLUMN idempotency_key.reply IS 'Null only inside the transaction that does the work';
CREATE INDEX idempotency_key_created_at ON idempotency_key (created_at);

CREATE TABLE lease (
    name       text PRIMARY KEY,
    holder     uuid NOT NULL,
    token      bigint NOT NULL,
    expires_at timestamptz NOT NULL
);
COMMENT ON COLUMN lease.token IS 'Fencing token; only ever grows';
