-- Quotes, the applications they are for, and the payments that come in from the chain.

CREATE TABLE quote (
    id                  uuid PRIMARY KEY,
    owner               text NOT NULL,
    app_name            text NOT NULL,
    spec                text NOT NULL,
    spec_sha256         bytea NOT NULL CHECK (octet_length(spec_sha256) = 32),
    replaces            uuid,
    price_sat           bigint NOT NULL CHECK (price_sat >= 0),
    value_sat           bigint NOT NULL CHECK (value_sat >= price_sat),
    price_usd_cents     bigint NOT NULL CHECK (price_usd_cents >= 0),
    network_minimum_sat bigint NOT NULL CHECK (network_minimum_sat >= 0),
    rate_micro_usd      bigint NOT NULL CHECK (rate_micro_usd > 0),
    rate_source         text NOT NULL,
    rate_at             timestamptz NOT NULL,
    height              bigint NOT NULL CHECK (height >= 0),
    price_row           bigint NOT NULL,
    price_table         text NOT NULL,
    term_blocks         bigint NOT NULL CHECK (term_blocks > 0),
    term_seconds        bigint NOT NULL CHECK (term_seconds > 0),
    instances           integer NOT NULL CHECK (instances > 0),
    payment_address     text NOT NULL,
    breakdown           text[] NOT NULL,
    created_at          timestamptz NOT NULL,
    expires_at          timestamptz NOT NULL,
    CHECK (expires_at > created_at)
);
COMMENT ON COLUMN quote.spec IS 'Canonical specification, as FluxOS forms it';
COMMENT ON COLUMN quote.replaces IS 'Revision whose unused term the price credits; null for a registration';
COMMENT ON COLUMN quote.value_sat IS 'Price of the same term without credit: the most the new term may be worth';

CREATE TABLE app (
    id               uuid PRIMARY KEY,
    name             text NOT NULL,
    owner            text NOT NULL,
    running_revision uuid,
    created_at       timestamptz NOT NULL
);
COMMENT ON COLUMN app.running_revision IS 'The revision that was funded last; null until the first one is';
CREATE INDEX app_name ON app (name);
CREATE INDEX app_owner ON app (owner);

CREATE TABLE app_end (
    app_id   uuid PRIMARY KEY,
    ended_at timestamptz NOT NULL
);
COMMENT ON TABLE app_end IS 'Kept apart from app, because an end may be heard of before its beginning';

CREATE TABLE revision (
    id            uuid PRIMARY KEY,
    app_id        uuid NOT NULL REFERENCES app,
    number        bigint NOT NULL,
    message_hash  text NOT NULL UNIQUE,
    quote_id      uuid NOT NULL,
    funding       text NOT NULL CHECK (funding IN ('chain_payment', 'balance')),
    state         text NOT NULL CHECK (state IN ('awaiting', 'funded', 'refused', 'ended')),
    refusal       text NOT NULL DEFAULT '',
    submitted_at  timestamptz NOT NULL,
    pay_until     timestamptz NOT NULL,
    funded_at     timestamptz,
    funded_height bigint,
    CHECK ((state = 'funded') = (funded_at IS NOT NULL)),
    CHECK ((state = 'refused') = (refusal <> ''))
);
COMMENT ON COLUMN revision.funded_height IS 'Height by which prices and terms of a later update are counted';
CREATE INDEX revision_app ON revision (app_id, number);
-- A quote pays for one revision.
CREATE UNIQUE INDEX revision_quote ON revision (quote_id) WHERE state IN ('awaiting', 'funded');

CREATE TABLE block (
    height   bigint PRIMARY KEY CHECK (height >= 0),
    hash     text,
    sequence bigint NOT NULL
);
COMMENT ON TABLE block IS 'The newest blocks of the best chain, by which payments are counted deep';
COMMENT ON COLUMN block.hash IS 'Null while a reorganisation has taken the height away';
COMMENT ON COLUMN block.sequence IS 'Of the announcement this is from; an older one changes nothing';

CREATE TABLE payment (
    txid            text PRIMARY KEY,
    message_hash    text NOT NULL,
    memo_problem    text NOT NULL,
    total_sat       bigint NOT NULL CHECK (total_sat >= 0),
    state           text NOT NULL CHECK (state IN ('seen', 'confirmed', 'reorganised', 'dropped')),
    height          bigint,
    block_hash      text NOT NULL DEFAULT '',
    confirmations   bigint NOT NULL DEFAULT 0,
    credited_to     text CHECK (credited_to IN ('customer', 'suspense')),
    credits         integer NOT NULL DEFAULT 0,
    suspense_reason text NOT NULL DEFAULT '',
    sequence        bigint NOT NULL DEFAULT -1,
    first_seen_at   timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    CHECK ((state = 'confirmed') = (height IS NOT NULL)),
    CHECK ((suspense_reason <> '') = (credited_to IS NOT DISTINCT FROM 'suspense'))
);
COMMENT ON COLUMN payment.credits IS 'How often it was credited; a reorganisation takes a credit back, a new block gives it anew';
COMMENT ON COLUMN payment.sequence IS 'Of the announcement its state is from; an older one changes nothing';
CREATE INDEX payment_hash ON payment (message_hash);
CREATE INDEX payment_uncredited ON payment (height) WHERE state = 'confirmed' AND credited_to IS NULL;
CREATE INDEX payment_suspense ON payment (updated_at) WHERE credited_to = 'suspense';

CREATE TABLE payment_output (
    txid       text NOT NULL REFERENCES payment,
    vout       bigint NOT NULL CHECK (vout >= 0),
    address    text NOT NULL,
    amount_sat bigint NOT NULL CHECK (amount_sat > 0),
    PRIMARY KEY (txid, vout)
);
COMMENT ON TABLE payment_output IS 'What the ledger credits, one deposit per output';

CREATE TABLE term (
    revision_id   uuid PRIMARY KEY REFERENCES revision,
    app_id        uuid NOT NULL REFERENCES app,
    owner         text NOT NULL,
    quote_id      uuid NOT NULL REFERENCES quote,
    price_row     bigint NOT NULL,
    total_sat     bigint NOT NULL CHECK (total_sat >= 0),
    seconds       bigint NOT NULL CHECK (seconds > 0),
    instances     integer NOT NULL CHECK (instances > 0),
    starts_at     bigint NOT NULL,
    ends_at       bigint NOT NULL CHECK (ends_at >= starts_at),
    limit_seconds bigint NOT NULL CHECK (limit_seconds BETWEEN 0 AND seconds * instances),
    used_seconds  bigint NOT NULL DEFAULT 0 CHECK (used_seconds BETWEEN 0 AND limit_seconds),
    charged_sat   bigint NOT NULL DEFAULT 0 CHECK (charged_sat >= 0),
    returned_sat  bigint NOT NULL DEFAULT 0 CHECK (returned_sat >= 0),
    cut           boolean NOT NULL DEFAULT false,
    settled_epoch bigint,
    CHECK (charged_sat + returned_sat <= total_sat)
);
COMMENT ON TABLE term IS 'What a funded revision bought. total - charged - returned of all terms of an application is what is held for it';
COMMENT ON COLUMN term.starts_at IS 'Seconds since 1970; seconds in [starts_at, ends_at) are charged to this term';
COMMENT ON COLUMN term.limit_seconds IS 'Instance-seconds that may be charged: all of the term, or those up to an early end';
COMMENT ON COLUMN term.settled_epoch IS 'Epoch that gave back what was left; nothing is charged afterwards';
CREATE INDEX term_app ON term (app_id);
CREATE INDEX term_owner ON term (owner);
CREATE INDEX term_unsettled ON term (ends_at) WHERE settled_epoch IS NULL;
