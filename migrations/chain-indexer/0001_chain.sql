-- What the chain says, as far as it was followed. Hashes, transaction ids and scripts are bytes in wire order: the payment
-- queue of the fluxnodes compares ids in that order, and bytea compares bytes.

CREATE SEQUENCE event_sequence;
COMMENT ON SEQUENCE event_sequence IS 'Numbers events, so that a consumer tells the newer of two; gaps mean nothing';

CREATE TABLE chain (
    singleton     boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    network       text NOT NULL,
    genesis_hash  bytea NOT NULL CHECK (octet_length(genesis_hash) = 32),
    height        integer NOT NULL CHECK (height >= 0),
    hash          bytea NOT NULL CHECK (octet_length(hash) = 32),
    peak_height   integer NOT NULL CHECK (peak_height >= height),
    halted_reason text NOT NULL DEFAULT ''
);
COMMENT ON TABLE chain IS 'The last applied block. One row, made with the genesis block; whoever moves the tip changes it first';
COMMENT ON COLUMN chain.peak_height IS 'Highest block ever applied. Reorganisations are measured from here, so that several shallow ones cannot take back what is final';
COMMENT ON COLUMN chain.halted_reason IS 'Not empty when a person must look before the chain is followed on';

CREATE TABLE daemon (
    name    text PRIMARY KEY,
    height  integer,
    hash    bytea CHECK (octet_length(hash) = 32),
    seen_at timestamptz,
    problem text NOT NULL DEFAULT ''
);
COMMENT ON TABLE daemon IS 'What each daemon said last. Bookkeeping: lost with no harm';
COMMENT ON COLUMN daemon.problem IS 'Why it could not be asked last time; empty when it answered';

CREATE TABLE block (
    height        integer PRIMARY KEY CHECK (height >= 0),
    hash          bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
    previous_hash bytea NOT NULL CHECK (octet_length(previous_hash) = 32),
    time          timestamptz NOT NULL,
    size_bytes    integer NOT NULL CHECK (size_bytes > 0)
);
COMMENT ON TABLE block IS 'The best chain; an undone block leaves no row';

CREATE TABLE block_transaction (
    height   integer NOT NULL,
    position integer NOT NULL,
    txid     bytea NOT NULL,
    raw      bytea NOT NULL,
    PRIMARY KEY (height, position)
);
-- Not unique: the id of a fluxnode transaction leaves its signature out, so two blocks may hold the same one.
CREATE INDEX block_transaction_txid ON block_transaction (txid);
COMMENT ON TABLE block_transaction IS 'Without a foreign key to block, whose check would cost as much as the insert; rows come and go with their block in one transaction';

CREATE TABLE collateral_output (
    txid      bytea NOT NULL,
    vout      integer NOT NULL CHECK (vout >= 0),
    height    integer NOT NULL,
    value_sat bigint NOT NULL CHECK (value_sat > 0),
    script    bytea NOT NULL,
    PRIMARY KEY (txid, vout)
);
COMMENT ON TABLE collateral_output IS 'Outputs of an amount that is or was the collateral of a tier, spent or not: what a start may name';

CREATE TABLE fluxnode (
    txid                  bytea NOT NULL CHECK (octet_length(txid) = 32),
    vout                  integer NOT NULL CHECK (vout >= 0),
    status                smallint NOT NULL CHECK (status BETWEEN 1 AND 3),
    tier                  smallint NOT NULL CHECK (tier BETWEEN 1 AND 3),
    amount_sat            bigint NOT NULL,
    start_txid            bytea NOT NULL CHECK (octet_length(start_txid) = 32),
    start_version         integer NOT NULL,
    node_key              bytea NOT NULL,
    collateral_key        bytea NOT NULL,
    payment_script        bytea NOT NULL,
    redeem_script         bytea NOT NULL,
    ip                    bytea NOT NULL,
    added_height          integer NOT NULL,
    confirmed_height      integer NOT NULL,
    last_confirmed_height integer NOT NULL,
    last_paid_height      integer NOT NULL,
    queue_height          integer GENERATED ALWAYS AS (
        CASE WHEN last_paid_height > 0 THEN last_paid_height ELSE confirmed_height END) STORED,
    paid                  boolean GENERATED ALWAYS AS (last_paid_height > 0) STORED,
    PRIMARY KEY (txid, vout)
) WITH (fillfactor = 70);
COMMENT ON TABLE fluxnode IS 'The lists after the last applied block. Key: the collateral. Room in the pages, because every block changes the payees';
COMMENT ON COLUMN fluxnode.status IS 'The daemon''s number: 1 started, 2 DoS, 3 confirmed';
COMMENT ON COLUMN fluxnode.queue_height IS 'The payment queue of a tier is ordered by queue_height, paid, txid, vout (fluxd FluxnodeListData::operator<)';
COMMENT ON COLUMN fluxnode.ip IS 'Bytes as the confirm states them; the chain demands no encoding';

CREATE TABLE fluxnode_delegates (
    txid bytea NOT NULL,
    vout integer NOT NULL,
    keys bytea[] NOT NULL CHECK (cardinality(keys) > 0),
    PRIMARY KEY (txid, vout)
);
COMMENT ON TABLE fluxnode_delegates IS 'Keys that may start a node for its owner; they outlive the node';

CREATE TABLE fluxnode_undo (
    height integer PRIMARY KEY REFERENCES block (height),
    undo   jsonb NOT NULL
);
COMMENT ON TABLE fluxnode_undo IS 'Entries as they were before each of the last blocks; older rows are deleted';

CREATE TABLE payment (
    txid                    bytea PRIMARY KEY CHECK (octet_length(txid) = 32),
    message_hash            bytea CHECK (octet_length(message_hash) = 32),
    memo_problem            text NOT NULL,
    total_sat               bigint NOT NULL CHECK (total_sat >= 0),
    state                   text NOT NULL CHECK (state IN ('mempool', 'mined', 'dropped')),
    height                  integer REFERENCES block (height),
    announced_confirmations integer NOT NULL CHECK (announced_confirmations >= 0),
    first_seen_at           timestamptz NOT NULL,
    CHECK ((message_hash IS NULL) = (memo_problem <> '')),
    CHECK ((height IS NOT NULL) = (state = 'mined'))
);
CREATE INDEX payment_message ON payment (message_hash, first_seen_at, txid) WHERE message_hash IS NOT NULL;
CREATE INDEX payment_height ON payment (height) WHERE height IS NOT NULL;
COMMENT ON TABLE payment IS 'Every transaction that pays a watched address, whatever it says; no row is ever deleted';
COMMENT ON COLUMN payment.memo_problem IS 'Why it names no message';
COMMENT ON COLUMN payment.announced_confirmations IS 'Highest threshold announced since it entered its block';
COMMENT ON COLUMN payment.first_seen_at IS 'When it was in the mempool, or else the time of its first block';

CREATE TABLE payment_output (
    txid       bytea NOT NULL REFERENCES payment (txid),
    vout       integer NOT NULL CHECK (vout >= 0),
    address    text NOT NULL,
    amount_sat bigint NOT NULL CHECK (amount_sat >= 0),
    PRIMARY KEY (txid, vout)
);

CREATE TABLE mempool_transaction (
    txid    bytea PRIMARY KEY CHECK (octet_length(txid) = 32),
    raw     bytea NOT NULL,
    seen_at timestamptz NOT NULL
);
COMMENT ON TABLE mempool_transaction IS 'A copy of the daemon''s mempool as of the last look';
