-- Several daemons, and an index that begins at a snapshot.

ALTER TABLE daemon
    ADD COLUMN ordinal smallint NOT NULL DEFAULT 0 CHECK (ordinal >= 0),
    ADD COLUMN agrees  boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN daemon.ordinal IS 'Its place in the configuration';
COMMENT ON COLUMN daemon.agrees IS 'Whether its blocks are those that are believed, as far as it has them';
COMMENT ON COLUMN daemon.problem IS 'Why it cannot be asked or is not believed; empty when all is well';

CREATE TABLE agreement (
    singleton  boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    height     integer CHECK (height >= 0),
    hash       bytea CHECK (octet_length(hash) = 32),
    reached_at timestamptz,
    quorum     smallint NOT NULL CHECK (quorum > 0),
    problem    text NOT NULL DEFAULT '',
    CHECK ((height IS NULL) = (hash IS NULL) AND (height IS NULL) = (reached_at IS NULL))
);
COMMENT ON TABLE agreement IS 'The last block that enough daemons agreed on. One row. Bookkeeping: lost with no harm';
COMMENT ON COLUMN agreement.quorum IS 'So many must agree';
COMMENT ON COLUMN agreement.problem IS 'Why they do not agree now; empty while they do';

ALTER TABLE chain
    ADD COLUMN base_height integer NOT NULL DEFAULT 0 CHECK (base_height >= 0 AND base_height <= height);
COMMENT ON COLUMN chain.base_height IS 'Height of the snapshot the index began from; 0 when it began with the first block. Nothing below it is known, nothing at or below it can be undone';
