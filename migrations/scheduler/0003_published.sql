-- Applications that everybody may see, as FluxOS has it for all: their messages, who paid them, where they run.

ALTER TABLE app ADD COLUMN published boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN app.published IS 'Everybody may read its messages and where it runs; its owner said so when it was registered';
CREATE INDEX app_published ON app (id) WHERE published;

ALTER TABLE revision
    ADD COLUMN message_type text NOT NULL DEFAULT '',
    ADD COLUMN signed_at_ms bigint NOT NULL DEFAULT 0 CHECK (signed_at_ms >= 0),
    ADD COLUMN signature text NOT NULL DEFAULT '',
    ADD COLUMN payment_txid text NOT NULL DEFAULT '',
    ADD COLUMN payment_height bigint NOT NULL DEFAULT 0 CHECK (payment_height >= 0),
    ADD COLUMN paid_sat bigint NOT NULL DEFAULT 0 CHECK (paid_sat >= 0);
COMMENT ON COLUMN revision.message_type IS 'As signed; empty for a revision that was submitted before this was kept, as its signature and time';
COMMENT ON COLUMN revision.signed_at_ms IS 'Milliseconds since 1970, as signed';
COMMENT ON COLUMN revision.payment_txid IS 'The transaction that completed the payment; empty when there was none';
COMMENT ON COLUMN revision.payment_height IS 'Block of that transaction when it was funded, else the last block; 0 until funded';
COMMENT ON COLUMN revision.paid_sat IS 'What the chain brought in for it';
