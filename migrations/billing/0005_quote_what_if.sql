-- What placement would have done when a quote was made, and the name it keeps.

ALTER TABLE quote
    ADD COLUMN what_if jsonb,
    ADD COLUMN name_reserved_until timestamptz,
    ADD COLUMN price_micro_usd bigint CHECK (price_micro_usd >= 0);
COMMENT ON COLUMN quote.price_usd_cents IS 'The price in whole cents, rounded down, for replicas that know no finer one';
COMMENT ON COLUMN quote.price_micro_usd IS 'Null for quotes made when prices in dollars were whole cents';
COMMENT ON COLUMN quote.what_if IS 'The scheduler''s answer; null for quotes made before it was asked';
COMMENT ON COLUMN quote.name_reserved_until IS 'Until when the scheduler keeps the name; null for updates, and where the owner has it already';
