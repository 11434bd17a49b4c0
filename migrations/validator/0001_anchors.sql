-- Epochs that billing closed, what became of their check, and the transactions that anchor them.

CREATE TABLE anchor (
    epoch         bigint PRIMARY KEY CHECK (epoch > 0),
    root          bytea NOT NULL CHECK (octet_length(root) = 32),
    previous_root bytea NOT NULL CHECK (octet_length(previous_root) = 32),
    leaf_count    bigint NOT NULL CHECK (leaf_count > 0),
    state         text NOT NULL CHECK (state IN (
        'announced', 'refused', 'verified', 'signed', 'broadcast', 'confirmed', 'final')),
    reason        text NOT NULL DEFAULT '',
    attempt       integer NOT NULL DEFAULT 0 CHECK (attempt >= 0),
    height        bigint,
    block_hash    text NOT NULL DEFAULT '',
    confirmations bigint NOT NULL DEFAULT 0 CHECK (confirmations >= 0),
    sent_at       timestamptz,
    updated_at    timestamptz NOT NULL,
    CHECK ((state IN ('signed', 'broadcast', 'confirmed', 'final')) <= (attempt > 0)),
    CHECK ((state IN ('confirmed', 'final')) = (height IS NOT NULL)),
    CHECK ((state = 'refused') <= (reason <> ''))
);
COMMENT ON COLUMN anchor.root IS 'As billing announced it';
COMMENT ON COLUMN anchor.attempt IS 'The transaction that counts; 0 before the first is signed';
COMMENT ON COLUMN anchor.sent_at IS 'When a node last took the transaction';
CREATE INDEX anchor_unfinished ON anchor (epoch) WHERE state <> 'final';

CREATE TABLE attempt (
    epoch         bigint NOT NULL REFERENCES anchor,
    number        integer NOT NULL CHECK (number > 0),
    txid          text NOT NULL UNIQUE,
    raw           bytea NOT NULL,
    change_vout   bigint,
    change_sat    bigint CHECK (change_sat > 0),
    expiry_height bigint NOT NULL DEFAULT 0,
    signed_at     timestamptz NOT NULL,
    PRIMARY KEY (epoch, number),
    CHECK ((change_vout IS NULL) = (change_sat IS NULL))
);
COMMENT ON TABLE attempt IS 'Every transaction that was ever signed. Stored before it is sent, so that a repetition sends the same bytes';
COMMENT ON COLUMN attempt.change_vout IS 'Output that returns the change; the next anchor may spend it before it is confirmed';
COMMENT ON COLUMN attempt.expiry_height IS '0: never';

CREATE TABLE attempt_input (
    epoch  bigint NOT NULL,
    number integer NOT NULL,
    txid   text NOT NULL,
    vout   bigint NOT NULL,
    PRIMARY KEY (epoch, number, txid, vout),
    FOREIGN KEY (epoch, number) REFERENCES attempt
);
COMMENT ON TABLE attempt_input IS 'Coins a transaction spends; no other is built on them while it is under way';
