-- Evidence of running time, and the epochs in which it is settled.

CREATE TABLE node (
    id        uuid PRIMARY KEY,
    operator  text NOT NULL,
    tier      smallint NOT NULL CHECK (tier BETWEEN 1 AND 3),
    eligible  boolean NOT NULL,
    joined_at timestamptz NOT NULL,
    version   bigint NOT NULL
);
COMMENT ON TABLE node IS 'Copy of what the node registry announces';
COMMENT ON COLUMN node.eligible IS 'Its collateral is on the fluxnode list and no other machine took its place';

CREATE TABLE assignment (
    instance_id      uuid NOT NULL,
    assignment_epoch bigint NOT NULL,
    app_id           uuid NOT NULL,
    revision_id      uuid NOT NULL,
    node_id          uuid NOT NULL,
    assigned_at      bigint NOT NULL,
    superseded_at    bigint,
    PRIMARY KEY (instance_id, assignment_epoch)
);
COMMENT ON TABLE assignment IS 'Copy of what the scheduler announces: which node may run an instance, from when to when';
COMMENT ON COLUMN assignment.assigned_at IS 'Seconds since 1970';
CREATE INDEX assignment_app ON assignment (app_id);

CREATE TABLE epoch (
    number              bigint PRIMARY KEY CHECK (number > 0),
    state               text NOT NULL CHECK (state IN ('open', 'ending', 'closing', 'closed')),
    opens_at            bigint NOT NULL,
    ends_at             bigint NOT NULL CHECK (ends_at > opens_at),
    root                bytea CHECK (octet_length(root) = 32),
    previous_root       bytea CHECK (octet_length(previous_root) = 32),
    line_count          bigint NOT NULL DEFAULT 0,
    payout_count        bigint NOT NULL DEFAULT 0,
    charged_sat         bigint NOT NULL DEFAULT 0,
    paid_sat            bigint NOT NULL DEFAULT 0,
    carried_online_sat  bigint NOT NULL DEFAULT 0 CHECK (carried_online_sat >= 0),
    carried_hosting_sat bigint NOT NULL DEFAULT 0 CHECK (carried_hosting_sat >= 0),
    closed_at           timestamptz,
    anchor_state        text NOT NULL DEFAULT 'none' CHECK (anchor_state IN ('none', 'refused', 'pending', 'confirmed', 'final')),
    anchor_txid         text NOT NULL DEFAULT '',
    anchor_height       bigint,
    anchor_confirmations bigint NOT NULL DEFAULT 0,
    anchor_updated_at   timestamptz,
    CHECK ((state = 'closed') = (root IS NOT NULL AND previous_root IS NOT NULL AND closed_at IS NOT NULL))
);
COMMENT ON COLUMN epoch.state IS 'open takes evidence; ending takes late evidence; closing is being settled; closed has its root';
COMMENT ON COLUMN epoch.carried_online_sat IS 'Operators'' part that found nobody to receive it, for the next epoch';
CREATE UNIQUE INDEX epoch_one_open ON epoch (state) WHERE state = 'open';
CREATE INDEX epoch_unfinished ON epoch (number) WHERE state <> 'closed';

CREATE TABLE usage_report (
    node_id      uuid NOT NULL,
    sequence     bigint NOT NULL,
    signed       bytea NOT NULL,
    signature    bytea NOT NULL,
    agent_pubkey bytea NOT NULL,
    received_at  timestamptz NOT NULL,
    PRIMARY KEY (node_id, sequence)
);
COMMENT ON TABLE usage_report IS 'The evidence as nodes signed it; a report counts once';

CREATE TABLE usage (
    epoch            bigint NOT NULL REFERENCES epoch,
    instance_id      uuid NOT NULL,
    node_id          uuid NOT NULL,
    assignment_epoch bigint NOT NULL,
    seconds          int8multirange NOT NULL,
    first_at         timestamptz NOT NULL,
    PRIMARY KEY (epoch, instance_id, node_id, assignment_epoch)
) WITH (fillfactor = 70);
COMMENT ON COLUMN usage.seconds IS 'Seconds since 1970 in which the instance ran: as reported while the epoch is open, as charged once it is closed';
CREATE INDEX usage_instance ON usage (instance_id);

CREATE TABLE node_online (
    epoch    bigint NOT NULL REFERENCES epoch,
    node_id  uuid NOT NULL,
    seconds  int8multirange NOT NULL,
    PRIMARY KEY (epoch, node_id)
) WITH (fillfactor = 70);
COMMENT ON COLUMN node_online.seconds IS 'Seconds in which the node was up, treated as those of usage';
CREATE INDEX node_online_node ON node_online (node_id);

CREATE TABLE share_table (
    version       integer PRIMARY KEY CHECK (version > 0),
    in_force_from timestamptz NOT NULL UNIQUE,
    starts_at     timestamptz NOT NULL,
    first_part    integer NOT NULL CHECK (first_part BETWEEN 0 AND 10000),
    yearly_growth integer NOT NULL CHECK (yearly_growth >= 0),
    last_part     integer NOT NULL CHECK (last_part BETWEEN first_part AND 10000),
    online_part   integer NOT NULL CHECK (online_part BETWEEN 0 AND 10000),
    cumulus       integer NOT NULL CHECK (cumulus >= 0),
    nimbus        integer NOT NULL CHECK (nimbus >= 0),
    stratus       integer NOT NULL CHECK (stratus >= 0)
);
COMMENT ON TABLE share_table IS 'What operators receive of the revenue. Parts are of ten thousand. A row is never changed; a new one is added';
INSERT INTO share_table VALUES
    (1, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', 2500, 200, 5000, 8000, 2, 25, 80);

CREATE TABLE leaf (
    epoch bigint NOT NULL REFERENCES epoch,
    index bigint NOT NULL CHECK (index >= 0),
    body  bytea NOT NULL,
    PRIMARY KEY (epoch, index)
);
COMMENT ON TABLE leaf IS 'The published leaves of closed epochs, byte for byte, in tree order';

CREATE TABLE invoice (
    id         uuid PRIMARY KEY,
    epoch      bigint NOT NULL REFERENCES epoch,
    owner      text NOT NULL,
    owner_salt bytea NOT NULL CHECK (octet_length(owner_salt) = 32),
    total_sat  bigint NOT NULL,
    line_count bigint NOT NULL CHECK (line_count > 0),
    first_leaf bigint NOT NULL CHECK (first_leaf > 0),
    UNIQUE (owner, epoch)
);
COMMENT ON COLUMN invoice.first_leaf IS 'Leaf of line 1; the others follow it. The leaves are the lines';
COMMENT ON COLUMN invoice.owner_salt IS 'Opens the commitment in the leaves; deleting it forgets the person, not the money';

CREATE TABLE payout (
    id             uuid PRIMARY KEY,
    epoch          bigint NOT NULL REFERENCES epoch,
    operator       text NOT NULL,
    operator_salt  bytea NOT NULL CHECK (octet_length(operator_salt) = 32),
    node_id        uuid NOT NULL,
    online_sat     bigint NOT NULL CHECK (online_sat >= 0),
    hosting_sat    bigint NOT NULL CHECK (hosting_sat >= 0),
    online_seconds bigint NOT NULL CHECK (online_seconds >= 0),
    hosted_seconds bigint NOT NULL CHECK (hosted_seconds >= 0),
    leaf           bigint NOT NULL CHECK (leaf > 0),
    UNIQUE (epoch, node_id)
);
COMMENT ON COLUMN payout.id IS 'Also the id of the transfer to the operator''s account';
CREATE INDEX payout_operator ON payout (operator, epoch, node_id);
