-- Who has what. An index in mode `full` holds every output, every balance and the history of every script; one in mode `plane`
-- holds of the transactions only what the plane asks for, and which watched outputs are spent.

ALTER TABLE chain ADD COLUMN index_mode text CHECK (index_mode IN ('plane', 'full'));
COMMENT ON COLUMN chain.index_mode IS 'Chosen with the first block and kept. NULL until a database from before the modes is trimmed to plane';

COMMENT ON TABLE block_transaction IS 'In mode full every transaction, in mode plane payments and those that carry data. Without a foreign key to block, whose check would cost as much as the insert; rows come and go with their block in one transaction';

CREATE INDEX collateral_output_height ON collateral_output (height);

CREATE TABLE watched_spend (
    txid          bytea NOT NULL CHECK (octet_length(txid) = 32),
    vout          integer NOT NULL CHECK (vout >= 0),
    spending_txid bytea NOT NULL CHECK (octet_length(spending_txid) = 32),
    vin           integer NOT NULL CHECK (vin >= 0),
    height        integer NOT NULL,
    PRIMARY KEY (txid, vout)
);
CREATE INDEX watched_spend_height ON watched_spend (height);
COMMENT ON TABLE watched_spend IS 'Mode plane: which collateral outputs and outputs of payments the best chain spends, and where';

CREATE TABLE account (
    id     integer PRIMARY KEY CHECK (id > 0),
    script bytea NOT NULL
);
-- Scripts have up to 10,000 bytes, an index entry has room for 2,700.
CREATE UNIQUE INDEX account_script ON account (sha256(script));
COMMENT ON TABLE account IS 'Mode full: every script the best chain pays, numbered in order of appearance; its number is all that other tables repeat';

CREATE TABLE output (
    height         integer NOT NULL,
    position       integer NOT NULL,
    vout           integer NOT NULL,
    account        integer NOT NULL,
    value_sat      bigint NOT NULL CHECK (value_sat >= 0),
    spent_height   integer,
    spent_position integer,
    spent_vin      integer,
    PRIMARY KEY (height, position, vout),
    CHECK ((spent_height IS NULL) = (spent_position IS NULL)),
    CHECK ((spent_height IS NULL) = (spent_vin IS NULL))
);
CREATE INDEX output_unspent ON output (account, height, position, vout) WHERE spent_height IS NULL;
CREATE INDEX output_spent ON output (spent_height, spent_position, spent_vin) WHERE spent_height IS NOT NULL;
COMMENT ON TABLE output IS 'Mode full: every output of the best chain, named by its transaction''s place in block_transaction, whose keys come in order where ids do not. Without foreign keys, like block_transaction';
COMMENT ON COLUMN output.spent_height IS 'Place of the transaction that spends it; all NULL while unspent';

CREATE TABLE account_entry (
    account      integer NOT NULL,
    height       integer NOT NULL,
    position     integer NOT NULL,
    received_sat bigint NOT NULL CHECK (received_sat >= 0),
    sent_sat     bigint NOT NULL CHECK (sent_sat >= 0),
    PRIMARY KEY (account, height, position)
);
COMMENT ON TABLE account_entry IS 'Mode full: what each transaction gave to and took from each script';

CREATE TABLE balance (
    account      integer PRIMARY KEY,
    balance_sat  bigint GENERATED ALWAYS AS (received_sat - sent_sat) STORED CHECK (balance_sat >= 0),
    received_sat bigint NOT NULL CHECK (received_sat >= 0),
    sent_sat     bigint NOT NULL CHECK (sent_sat >= 0),
    transactions integer NOT NULL CHECK (transactions > 0),
    first_height integer NOT NULL,
    last_height  integer NOT NULL CHECK (last_height >= first_height)
) WITH (fillfactor = 70);
CREATE INDEX balance_rich ON balance (balance_sat DESC, account) WHERE balance_sat > 0;
COMMENT ON TABLE balance IS 'Mode full: the fold of account_entry. Apart from account, so that a change touches small rows';

CREATE TABLE block_supply (
    height          integer PRIMARY KEY,
    coinbase_sat    bigint NOT NULL CHECK (coinbase_sat >= 0),
    fees_sat        bigint NOT NULL,
    transparent_sat bigint NOT NULL,
    shielded_sat    bigint NOT NULL
);
COMMENT ON TABLE block_supply IS 'Mode full: what exists after each block, counted from the bytes: unspent outputs, and the shielded pools by what went in and came out';
