-- Prices of specifications fluxplane/v1, which have a price list of their own and know neither blocks nor FluxOS' minimum.

ALTER TABLE quote
    ALTER COLUMN network_minimum_sat DROP NOT NULL,
    ALTER COLUMN price_row DROP NOT NULL,
    ALTER COLUMN term_blocks DROP NOT NULL,
    ADD COLUMN table_version integer CHECK (table_version > 0),
    ADD CONSTRAINT quote_one_list CHECK (num_nonnulls(price_row, table_version) = 1),
    ADD CONSTRAINT quote_fluxos_terms CHECK (
        num_nonnulls(price_row, network_minimum_sat, term_blocks) IN (0, 3));
COMMENT ON COLUMN quote.table_version IS 'Version of our own price list; null for specifications of FluxOS';
COMMENT ON COLUMN quote.price_row IS 'Height of FluxOS'' price row, -1 for the first; null for specifications fluxplane/v1';
COMMENT ON COLUMN quote.network_minimum_sat IS 'What FluxOS nodes would accept; null for specifications fluxplane/v1';
COMMENT ON COLUMN quote.term_blocks IS 'Null for specifications fluxplane/v1, whose terms are seconds';

ALTER TABLE term
    ALTER COLUMN price_row DROP NOT NULL,
    ADD COLUMN table_version integer CHECK (table_version > 0),
    ADD CONSTRAINT term_one_list CHECK (num_nonnulls(price_row, table_version) = 1);
COMMENT ON COLUMN term.table_version IS 'Version of our own price list; null for specifications of FluxOS';
