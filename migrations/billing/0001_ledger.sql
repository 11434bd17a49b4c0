-- The ledger: accounts, and the journal of transfers between them. Balances are kept by the database itself, so that no
-- code path can post without moving them or move them without posting.

CREATE TABLE account (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    asset   text NOT NULL CHECK (asset ~ '^[A-Z0-9]{2,8}$'),
    name    text NOT NULL CHECK (split_part(name, ':', 1) = kind),
    kind    text NOT NULL CHECK (kind IN (
        'chain_clearing', 'payout_clearing', 'chain_fees', 'capital', 'revenue', 'suspense', 'operator_pool',
        'customer', 'customer_held', 'customer_debt', 'rounding', 'operator')),
    balance bigint NOT NULL DEFAULT 0,
    UNIQUE (asset, name),
    UNIQUE (id, asset),
    -- Nobody spends what they do not have; only the plane's own accounts follow facts that cannot be refused.
    CONSTRAINT account_limit CHECK (
        kind IN ('chain_clearing', 'chain_fees', 'capital', 'revenue')
        OR (kind = 'customer_debt' AND balance <= 0)
        OR (kind <> 'customer_debt' AND balance >= 0))
);
COMMENT ON COLUMN account.name IS 'kind or kind:owner, as the ledger crate writes it';
COMMENT ON COLUMN account.balance IS 'Credits less debits, so that the balances of an asset sum to zero';

CREATE TABLE transfer (
    id          uuid PRIMARY KEY,
    purpose     text NOT NULL,
    asset       text NOT NULL,
    debit       bigint NOT NULL,
    credit      bigint NOT NULL,
    amount      bigint NOT NULL CHECK (amount > 0),
    happened_at timestamptz NOT NULL,
    booked_at   timestamptz NOT NULL,
    undoes      uuid REFERENCES transfer,
    reference   text NOT NULL CHECK (octet_length(reference) <= 256),
    CHECK (debit <> credit),
    -- One asset per transfer.
    FOREIGN KEY (debit, asset) REFERENCES account (id, asset),
    FOREIGN KEY (credit, asset) REFERENCES account (id, asset)
);
COMMENT ON TABLE transfer IS 'The journal. Append-only: a mistake is undone by another transfer that names the first';
COMMENT ON COLUMN transfer.happened_at IS 'When the fact happened; booked_at is when it entered the journal';
CREATE INDEX transfer_undoes ON transfer (undoes) WHERE undoes IS NOT NULL;

CREATE FUNCTION transfer_moves_balances() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE account SET balance = account.balance + moved.amount
    FROM (
        SELECT side.id, sum(side.amount)::bigint AS amount
        FROM (
            SELECT debit AS id, -amount AS amount FROM posted
            UNION ALL
            SELECT credit, amount FROM posted
        ) AS side
        GROUP BY side.id
    ) AS moved
    WHERE account.id = moved.id;
    RETURN NULL;
END $$;
CREATE TRIGGER transfer_moves_balances AFTER INSERT ON transfer
    REFERENCING NEW TABLE AS posted FOR EACH STATEMENT EXECUTE FUNCTION transfer_moves_balances();

CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is forbidden: post a transfer that undoes the first', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER transfer_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON transfer
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();
-- A balance moves inside the trigger above and nowhere else.
CREATE TRIGGER account_balance_follows_journal BEFORE UPDATE ON account
    FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION ledger_is_append_only();
CREATE TRIGGER account_is_kept BEFORE DELETE OR TRUNCATE ON account
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();
