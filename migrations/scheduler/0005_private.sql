-- What is private is sealed: specifications, environments and the secrets of owners, under a key per owner that is wrapped by
-- a root key from outside of the database.

CREATE TABLE tenant_key (
    id           uuid PRIMARY KEY,
    tenant       text NOT NULL UNIQUE,
    wrapped      bytea NOT NULL,
    root_version bigint NOT NULL CHECK (root_version > 0),
    created_at   timestamptz NOT NULL,
    wrapped_at   timestamptz NOT NULL
);
COMMENT ON TABLE tenant_key IS 'One key per owner. It wraps the key of every sealed value of the owner; without it they are noise';
COMMENT ON COLUMN tenant_key.tenant IS 'Wallet address';
COMMENT ON COLUMN tenant_key.root_version IS 'The root key that wrapped it';
CREATE INDEX tenant_key_root ON tenant_key (root_version);

CREATE TABLE secret (
    id         uuid PRIMARY KEY,
    owner      text NOT NULL,
    name       text NOT NULL CHECK (name <> ''),
    kind       text NOT NULL CHECK (kind IN ('value', 'registry')),
    version    bigint NOT NULL CHECK (version >= 1),
    sealed     bytea NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (owner, name)
);
COMMENT ON TABLE secret IS 'Values that owners gave to the plane. A new value overwrites the old one, and a deletion removes it with the key it was sealed with';
COMMENT ON COLUMN secret.version IS 'Grows with every value';
COMMENT ON COLUMN secret.sealed IS 'fluxplane_envelope, bound to this row and version';

CREATE TABLE secret_use (
    revision_id uuid NOT NULL REFERENCES revision,
    owner       text NOT NULL,
    name        text NOT NULL,
    purpose     text NOT NULL CHECK (purpose IN ('environment', 'registry')),
    PRIMARY KEY (revision_id, name, purpose)
);
COMMENT ON TABLE secret_use IS 'Secrets that revisions name';
CREATE INDEX secret_use_name ON secret_use (owner, name);

ALTER TABLE revision
    ALTER COLUMN spec_json DROP NOT NULL,
    ADD COLUMN spec_sealed bytea,
    ADD COLUMN private_sealed bytea,
    ADD CHECK (spec_json IS NULL OR spec_sealed IS NULL);
COMMENT ON COLUMN revision.spec_json IS 'Canonical JSON of a revision from before specifications were sealed; emptied in the background';
COMMENT ON COLUMN revision.spec_sealed IS 'Canonical JSON, sealed under the key of the owner it names. Null with spec_json: destroyed after the application ended';
COMMENT ON COLUMN revision.private_sealed IS 'Environment of each component, sealed alike; null when there is none';
COMMENT ON COLUMN revision.workload IS 'What an instance is and where it may go, derived from the specification when it was submitted, without what is private';
CREATE INDEX revision_clear ON revision (id) WHERE spec_json IS NOT NULL;

ALTER TABLE app
    ADD COLUMN secrets bigint NOT NULL DEFAULT 0 CHECK (secrets >= 0),
    ADD COLUMN shredded_at timestamptz CHECK (shredded_at IS NULL OR ended_at IS NOT NULL);
COMMENT ON COLUMN app.shredded_at IS 'When what was private of it was destroyed';
CREATE INDEX app_to_shred ON app (ended_at) WHERE ended_at IS NOT NULL AND shredded_at IS NULL AND NOT published;
COMMENT ON COLUMN app.secrets IS 'Grows when a secret in the environment of its containers gets a new value';
ALTER TABLE instance ADD COLUMN secrets bigint NOT NULL DEFAULT 0 CHECK (secrets >= 0);
COMMENT ON COLUMN instance.secrets IS 'What the application''s number was when this assignment was made';

ALTER TABLE node_desired ADD COLUMN outdated boolean NOT NULL DEFAULT true;
ALTER TABLE node_desired ALTER COLUMN outdated SET DEFAULT false;
COMMENT ON COLUMN node_desired.outdated IS 'It was announced in a form that is not used any more; the leader announces it again';

-- Answers that are kept for repeated requests do not hold specifications any more.
UPDATE idempotency_key
SET reply = convert_to(
    (convert_from(reply, 'UTF8')::jsonb #- '{current,spec_json}' #- '{pending,spec_json}')::text, 'UTF8')
WHERE reply IS NOT NULL AND convert_from(reply, 'UTF8')::jsonb ? 'current';
