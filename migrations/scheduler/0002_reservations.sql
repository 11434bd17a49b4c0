-- Names that are kept for somebody while a quote is firm, and how long instances took to start.

CREATE TABLE name_reservation (
    name_key text PRIMARY KEY,
    owner    text NOT NULL,
    until    timestamptz NOT NULL
);
COMMENT ON TABLE name_reservation IS 'Names kept for an owner who holds a quote. One that is over counts as gone, and is removed in time';
COMMENT ON COLUMN name_reservation.name_key IS 'The name in lower case, as that of an application';
CREATE INDEX name_reservation_owner ON name_reservation (owner);
CREATE INDEX name_reservation_until ON name_reservation (until);

-- The latest starts, for what a quote promises.
CREATE INDEX instance_started ON instance (healthy_at DESC) WHERE healthy_at IS NOT NULL;
