-- What a FLUX is worth, who said so, and what a price consists of.

CREATE TABLE rate_observation (
    source    text PRIMARY KEY,
    micro_usd bigint CHECK (micro_usd > 0),
    said_at   timestamptz,
    asked_at  timestamptz NOT NULL,
    problem   text NOT NULL DEFAULT '',
    CHECK ((micro_usd IS NULL) = (said_at IS NULL)),
    CHECK (micro_usd IS NOT NULL OR problem <> '')
);
COMMENT ON TABLE rate_observation IS 'What each source of the exchange rate said last';
COMMENT ON COLUMN rate_observation.micro_usd IS 'Millionths of a dollar for one FLUX, as everywhere; null until the source said something usable';
COMMENT ON COLUMN rate_observation.asked_at IS 'When it was asked last, with success or without';
COMMENT ON COLUMN rate_observation.problem IS 'Why the last question failed; empty when it did not';

CREATE TABLE rate_statement (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    micro_usd    bigint NOT NULL CHECK (micro_usd > 0),
    valid_from   bigint NOT NULL CHECK (valid_from >= 0),
    valid_until  bigint NOT NULL CHECK (valid_until > valid_from),
    reason       text NOT NULL CHECK (reason <> ''),
    signer       text NOT NULL,
    signature    text NOT NULL,
    submitted_by text NOT NULL,
    submitted_at timestamptz NOT NULL,
    -- A signed text counts once, so nobody can set an old one in force again.
    UNIQUE (signer, micro_usd, valid_from, valid_until, reason)
);
COMMENT ON TABLE rate_statement IS 'Rates set by hand, as they were signed. The one submitted last counts while it holds';
COMMENT ON COLUMN rate_statement.valid_from IS 'Seconds since 1970, as in the signed text';

CREATE TABLE rate (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    micro_usd   bigint NOT NULL CHECK (micro_usd > 0),
    at          timestamptz NOT NULL,
    basis       jsonb NOT NULL,
    accepted_at timestamptz NOT NULL
);
COMMENT ON TABLE rate IS 'Rates that were accepted; quotes are pinned to them';
COMMENT ON COLUMN rate.at IS 'The oldest word that counted, or the beginning of a statement';
COMMENT ON COLUMN rate.basis IS 'What it rests on: the sources with what they said, or the statement';

CREATE FUNCTION rate_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is forbidden: quotes are pinned to it', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER rate_never_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON rate
    FOR EACH STATEMENT EXECUTE FUNCTION rate_is_kept();
CREATE TRIGGER rate_statement_never_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON rate_statement
    FOR EACH STATEMENT EXECUTE FUNCTION rate_is_kept();

ALTER TABLE quote
    ADD COLUMN rate_id bigint REFERENCES rate,
    ADD COLUMN price_lines jsonb NOT NULL DEFAULT '[]';
COMMENT ON COLUMN quote.rate_id IS 'Null for quotes made before rates were stored';
COMMENT ON COLUMN quote.price_lines IS 'What the price consists of, in both currencies; each adds up to its price';
