-- Who is on the fluxnode lists over time, and what transactions say besides paying: anchors of settlement epochs, price messages,
-- and payments nobody can assign.

ALTER TABLE payment
    ADD COLUMN problem text NOT NULL DEFAULT ''
        CHECK (problem IN ('', 'missing', 'ambiguous', 'length', 'alphabet')),
    ADD COLUMN departure text NOT NULL DEFAULT ''
        CHECK (departure IN ('', 'missing', 'replaced', 'double_spent')),
    ADD COLUMN conflicting_txid bytea CHECK (octet_length(conflicting_txid) = 32);
UPDATE payment SET problem = CASE
    WHEN memo_problem LIKE 'no output carries%' THEN 'missing'
    WHEN memo_problem LIKE '% outputs carry an OP_RETURN text%' THEN 'ambiguous'
    WHEN memo_problem LIKE '%a message hash has 64' THEN 'length'
    ELSE 'alphabet' END
WHERE memo_problem <> '';
CREATE INDEX payment_unmatched ON payment (first_seen_at, txid) WHERE message_hash IS NULL;
COMMENT ON COLUMN payment.problem IS 'The kind of memo_problem, empty when the payment names a message';
COMMENT ON COLUMN payment.departure IS 'Why a dropped payment is gone; says nothing in other states';
COMMENT ON COLUMN payment.conflicting_txid IS 'The transaction that spends an input of the payment, when that is why it is gone';

CREATE TABLE payment_input (
    txid       bytea NOT NULL REFERENCES payment (txid),
    spent_txid bytea NOT NULL CHECK (octet_length(spent_txid) = 32),
    spent_vout bigint NOT NULL CHECK (spent_vout BETWEEN 0 AND 4294967295),
    PRIMARY KEY (txid, spent_txid, spent_vout)
);
COMMENT ON TABLE payment_input IS 'Outputs that payments spend: whoever spends one of them elsewhere takes the payment away';

CREATE TABLE note (
    txid                    bytea NOT NULL CHECK (octet_length(txid) = 32),
    kind                    text NOT NULL CHECK (kind IN ('anchor', 'price')),
    data                    bytea NOT NULL,
    epoch                   bigint CHECK (epoch > 0),
    senders                 text[] NOT NULL,
    last_output             boolean NOT NULL,
    state                   text NOT NULL CHECK (state IN ('mempool', 'mined', 'dropped')),
    height                  integer REFERENCES block (height),
    announced_confirmations integer NOT NULL CHECK (announced_confirmations >= 0),
    first_seen_at           timestamptz NOT NULL,
    PRIMARY KEY (txid, kind),
    CHECK ((height IS NOT NULL) = (state = 'mined'))
);
CREATE INDEX note_height ON note (height) WHERE height IS NOT NULL;
CREATE INDEX note_age ON note (kind, first_seen_at, txid);
CREATE INDEX note_epoch ON note (epoch, first_seen_at, txid) WHERE epoch IS NOT NULL;
COMMENT ON TABLE note IS 'Transactions that say something to the plane: anchors of settlement epochs, price messages of the foundation; no row is ever deleted';
COMMENT ON COLUMN note.data IS 'The payload of an anchor, the text of a price message; what it means is read anew each time';
COMMENT ON COLUMN note.last_output IS 'Whether no output follows the text of a price message; FluxOS reads no other';
COMMENT ON COLUMN note.epoch IS 'Of an anchor that can be read; NULL otherwise, also for epochs beyond the column';
COMMENT ON COLUMN note.senders IS 'Addresses of the inputs'' owners, as the unlocking scripts tell them';
COMMENT ON COLUMN note.announced_confirmations IS 'Highest threshold announced since it entered its block';

CREATE TABLE fluxnode_turnover (
    height    integer NOT NULL,
    tier      smallint NOT NULL CHECK (tier BETWEEN 1 AND 3),
    started   integer NOT NULL CHECK (started >= 0),
    confirmed integer NOT NULL CHECK (confirmed >= 0),
    expired   integer NOT NULL CHECK (expired >= 0),
    spent     integer NOT NULL CHECK (spent >= 0),
    dos       integer NOT NULL CHECK (dos >= 0),
    PRIMARY KEY (height, tier)
);
COMMENT ON TABLE fluxnode_turnover IS 'How many nodes of a tier came and went in a block; no row where none did';

CREATE TABLE fluxnode_log (
    singleton     boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    turnover_from integer NOT NULL CHECK (turnover_from >= 0),
    history_from  integer CHECK (history_from >= 0),
    history_to    integer CHECK (history_to >= history_from),
    CHECK ((history_from IS NULL) = (history_to IS NULL))
);
COMMENT ON TABLE fluxnode_log IS 'How far fluxnode_turnover and the history reach';
COMMENT ON COLUMN fluxnode_log.turnover_from IS 'First block whose turnover was counted';
COMMENT ON COLUMN fluxnode_log.history_from IS 'First block after which the history knows every list, NULL when it was never kept';
COMMENT ON COLUMN fluxnode_log.history_to IS 'Last such block; behind the tip when keeping the history was switched off';

CREATE TABLE fluxnode_origin (
    txid           bytea NOT NULL CHECK (octet_length(txid) = 32),
    vout           integer NOT NULL CHECK (vout >= 0),
    added_height   integer NOT NULL,
    tier           smallint NOT NULL CHECK (tier BETWEEN 1 AND 3),
    amount_sat     bigint NOT NULL,
    start_txid     bytea NOT NULL CHECK (octet_length(start_txid) = 32),
    start_version  integer NOT NULL,
    node_key       bytea NOT NULL,
    collateral_key bytea NOT NULL,
    payment_script bytea NOT NULL,
    redeem_script  bytea NOT NULL,
    PRIMARY KEY (txid, vout, added_height)
);
CREATE INDEX fluxnode_origin_added ON fluxnode_origin (added_height);
COMMENT ON TABLE fluxnode_origin IS 'What a start fixed for the life of a node. Kept in mode full';

CREATE TABLE fluxnode_version (
    txid                  bytea NOT NULL,
    vout                  integer NOT NULL,
    added_height          integer NOT NULL,
    from_height           integer NOT NULL,
    to_height             integer CHECK (to_height > from_height),
    status                smallint NOT NULL CHECK (status BETWEEN 1 AND 3),
    ip                    bytea NOT NULL,
    confirmed_height      integer NOT NULL,
    last_confirmed_height integer NOT NULL,
    last_paid_height      integer NOT NULL
);
CREATE UNIQUE INDEX fluxnode_version_open ON fluxnode_version (txid, vout) WHERE to_height IS NULL;
CREATE INDEX fluxnode_version_from ON fluxnode_version (from_height);
CREATE INDEX fluxnode_version_to ON fluxnode_version (to_height) WHERE to_height IS NOT NULL;
COMMENT ON TABLE fluxnode_version IS 'What a node was after the blocks from_height to to_height - 1, and still is where to_height is NULL. Kept in mode full';
