-- Transfers of tokens on Ethereum and chains like it. Hashes and addresses are the bytes people see after 0x. Amounts are whole
-- numbers of up to 78 digits in the token's smallest unit.

CREATE TABLE evm_asset (
    id             integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name           text NOT NULL UNIQUE CHECK (name <> ''),
    chain_id       bigint NOT NULL CHECK (chain_id > 0),
    contract       bytea NOT NULL CHECK (octet_length(contract) = 20),
    decimals       smallint NOT NULL CHECK (decimals BETWEEN 0 AND 255),
    start_block    bigint NOT NULL CHECK (start_block >= 0),
    confirmations  integer NOT NULL CHECK (confirmations > 0),
    height         bigint CHECK (height >= start_block),
    hash           bytea CHECK (octet_length(hash) = 32),
    block_time     timestamptz,
    final_height   bigint CHECK (final_height <= height),
    minted         numeric NOT NULL DEFAULT 0 CHECK (minted >= 0 AND scale(minted) = 0),
    burned         numeric NOT NULL DEFAULT 0 CHECK (burned >= 0 AND scale(burned) = 0),
    transfer_count bigint NOT NULL DEFAULT 0 CHECK (transfer_count >= 0),
    halted_reason  text NOT NULL DEFAULT '',
    UNIQUE (chain_id, contract),
    CHECK ((height IS NULL) = (hash IS NULL) AND (height IS NULL) = (block_time IS NULL))
);
COMMENT ON TABLE evm_asset IS 'A token contract on one chain, and how far it is followed; whoever applies or undoes blocks changes its row first. Rows outlive their place in the configuration';
COMMENT ON COLUMN evm_asset.height IS 'Last applied block; NULL before the first';
COMMENT ON COLUMN evm_asset.final_height IS 'Transfers up to this block are final; only ever rises. NULL before the first is';
COMMENT ON COLUMN evm_asset.minted IS 'Sum of the transfers from address zero; kept in step with evm_transfer';
COMMENT ON COLUMN evm_asset.burned IS 'Sum of the transfers to address zero; kept in step with evm_transfer';
COMMENT ON COLUMN evm_asset.halted_reason IS 'Not empty when a person must look before the asset is followed on';

CREATE TABLE evm_node (
    asset_id integer PRIMARY KEY REFERENCES evm_asset (id),
    height   bigint CHECK (height >= 0),
    seen_at  timestamptz,
    problem  text NOT NULL DEFAULT ''
);
COMMENT ON TABLE evm_node IS 'What the node of each asset said last. Bookkeeping: lost with no harm';
COMMENT ON COLUMN evm_node.problem IS 'What is wrong with it for now; empty when nothing is';

CREATE TABLE evm_block (
    asset_id integer NOT NULL REFERENCES evm_asset (id),
    height   bigint NOT NULL CHECK (height >= 0),
    hash     bytea NOT NULL CHECK (octet_length(hash) = 32),
    PRIMARY KEY (asset_id, height)
);
COMMENT ON TABLE evm_block IS 'The last blocks, from the last final one on: where a reorganisation can part from us';

CREATE TABLE evm_transfer (
    asset_id     integer NOT NULL REFERENCES evm_asset (id),
    height       bigint NOT NULL CHECK (height >= 0),
    log_index    integer NOT NULL CHECK (log_index >= 0),
    block_hash   bytea NOT NULL CHECK (octet_length(block_hash) = 32),
    block_time   timestamptz NOT NULL,
    tx_hash      bytea NOT NULL CHECK (octet_length(tx_hash) = 32),
    from_address bytea NOT NULL CHECK (octet_length(from_address) = 20),
    to_address   bytea NOT NULL CHECK (octet_length(to_address) = 20),
    amount       numeric(78, 0) NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (asset_id, height, log_index)
);
-- A party's history is read newest first, asset by asset.
CREATE INDEX evm_transfer_from ON evm_transfer (from_address, asset_id, height, log_index);
CREATE INDEX evm_transfer_to ON evm_transfer (to_address, asset_id, height, log_index);
CREATE INDEX evm_transfer_tx ON evm_transfer (tx_hash);
COMMENT ON TABLE evm_transfer IS 'Transfers of the best chain; one that is reorganised away leaves no row';
