-- Applications, their revisions and instances; nodes as the registry announces them; what was decided and what happened.

CREATE TABLE chain_tip (
    one        boolean PRIMARY KEY DEFAULT true CHECK (one),
    height     bigint NOT NULL CHECK (height >= 0),
    hash       text NOT NULL,
    updated_at timestamptz NOT NULL
);
COMMENT ON TABLE chain_tip IS 'Copy of the chain indexer''s tip; FluxOS'' rules depend on the height';

CREATE TABLE node (
    id         uuid PRIMARY KEY,
    operator   text NOT NULL,
    outpoint   text NOT NULL,
    tier       smallint NOT NULL CHECK (tier BETWEEN 1 AND 3),
    state      text NOT NULL CHECK (
        state IN ('joined', 'ready', 'suspect', 'lost', 'ineligible', 'retired')),
    cpu_milli  bigint NOT NULL CHECK (cpu_milli >= 0),
    ram_mib    bigint NOT NULL CHECK (ram_mib >= 0),
    disk_gib   bigint NOT NULL CHECK (disk_gib >= 0),
    continent  text NOT NULL,
    country    text NOT NULL,
    region     text NOT NULL,
    ip         text NOT NULL,
    static_ip  boolean NOT NULL,
    version    bigint NOT NULL,
    unseen     boolean NOT NULL DEFAULT true,
    updated_at timestamptz NOT NULL
);
COMMENT ON TABLE node IS 'Copy of the node registry''s truth, newest version wins';
COMMENT ON COLUMN node.outpoint IS 'Collateral as txid:output';
COMMENT ON COLUMN node.unseen IS 'The leader has not taken this version into its memory yet';
CREATE INDEX node_unseen ON node (id) WHERE unseen;

CREATE TABLE node_desired (
    node_id    uuid PRIMARY KEY REFERENCES node,
    version    bigint NOT NULL,
    epoch      bigint NOT NULL,
    updated_at timestamptz NOT NULL
);
COMMENT ON TABLE node_desired IS 'Version of the desired state announced last; the set itself is that of the wanted instances';
COMMENT ON COLUMN node_desired.epoch IS 'Fencing token of the leader that announced it';

CREATE TABLE app (
    id                uuid PRIMARY KEY,
    name              text NOT NULL,
    name_key          text NOT NULL GENERATED ALWAYS AS (lower(name)) STORED,
    owner             text NOT NULL,
    state             text NOT NULL CHECK (
        state IN ('awaiting_payment', 'deploying', 'running', 'degraded', 'cancelled', 'expired')),
    state_reason      text NOT NULL DEFAULT '',
    current_number    integer NOT NULL CHECK (current_number >= 1),
    pending_number    integer CHECK (pending_number > current_number),
    instances_healthy integer NOT NULL DEFAULT 0 CHECK (instances_healthy >= 0),
    created_at        timestamptz NOT NULL,
    expires_at        timestamptz,
    ended_at          timestamptz,
    version           bigint NOT NULL DEFAULT 1,
    intent_version    bigint NOT NULL DEFAULT 1,
    attention_at      timestamptz,
    CHECK ((state IN ('cancelled', 'expired')) = (ended_at IS NOT NULL)),
    CHECK (intent_version <= version)
);
COMMENT ON COLUMN app.owner IS 'Wallet address in its canonical form, also where the specification names a public key';
COMMENT ON COLUMN app.current_number IS 'The revision instances run or move to';
COMMENT ON COLUMN app.pending_number IS 'A newer revision that waits for its payment';
COMMENT ON COLUMN app.version IS 'Grows with every visible change';
COMMENT ON COLUMN app.intent_version IS 'Version of the last change of intent; a caller who saw this or later acts on what is';
COMMENT ON COLUMN app.attention_at IS 'When the leader looks at it next; null when nothing can happen any more';
-- A name belongs to one living application, whatever its case.
CREATE UNIQUE INDEX app_living_name ON app (name_key) WHERE ended_at IS NULL;
CREATE INDEX app_name ON app (name_key, created_at DESC);
CREATE INDEX app_owner ON app (owner, id);
CREATE INDEX app_attention ON app (attention_at) WHERE attention_at IS NOT NULL;
CREATE INDEX app_unpaid ON app (owner) WHERE state = 'awaiting_payment';

CREATE TABLE revision (
    id              uuid PRIMARY KEY,
    app_id          uuid NOT NULL REFERENCES app,
    number          integer NOT NULL CHECK (number >= 1),
    rollout_number  integer NOT NULL CHECK (rollout_number BETWEEN 1 AND number),
    instances       integer NOT NULL CHECK (instances BETWEEN 1 AND 100),
    cpu_milli       bigint NOT NULL CHECK (cpu_milli >= 0),
    ram_mib         bigint NOT NULL CHECK (ram_mib >= 0),
    disk_gib        bigint NOT NULL CHECK (disk_gib >= 0),
    ports           integer[] NOT NULL,
    spec_json       text NOT NULL,
    workload        jsonb NOT NULL,
    owner           text NOT NULL,
    message_hash    text NOT NULL UNIQUE CHECK (message_hash ~ '^[0-9a-f]{64}$'),
    quote_id        text NOT NULL,
    funding         text NOT NULL CHECK (funding IN ('chain_payment', 'balance')),
    traceparent     text NOT NULL DEFAULT '',
    submitted_at    timestamptz NOT NULL,
    pay_until       timestamptz NOT NULL,
    payment_seen_at timestamptz,
    funded_at       timestamptz,
    paid_until      timestamptz,
    dropped_at      timestamptz,
    started_at      timestamptz,
    placed_at       timestamptz,
    proven_at       timestamptz,
    finished_at     timestamptz,
    failure         text,
    UNIQUE (app_id, number),
    CHECK ((funded_at IS NULL) = (paid_until IS NULL)),
    CHECK (funded_at IS NULL OR dropped_at IS NULL)
);
COMMENT ON COLUMN revision.rollout_number IS 'The revision whose containers instances of this one run: itself, unless only description, term, number of instances, owner or contacts changed';
COMMENT ON COLUMN revision.cpu_milli IS 'What one instance needs on a node of any tier; as the other resources';
COMMENT ON COLUMN revision.ports IS 'Ports on the address of the node, in the order of the specification';
COMMENT ON COLUMN revision.spec_json IS 'Canonical JSON';
COMMENT ON COLUMN revision.workload IS 'What an instance is and where it may go, derived from the specification when it was submitted';
COMMENT ON COLUMN revision.traceparent IS 'Trace of the request that submitted it, W3C';
COMMENT ON COLUMN revision.payment_seen_at IS 'The whole amount was on its way; expiry waits for its confirmation';
COMMENT ON COLUMN revision.dropped_at IS 'Not paid in time, refused, or the application ended before';
COMMENT ON COLUMN revision.proven_at IS 'An instance with these containers was healthy first';
COMMENT ON COLUMN revision.finished_at IS 'All instances were healthy first';
COMMENT ON COLUMN revision.failure IS 'Why the rollout of these containers stopped';

CREATE TABLE decision (
    id       uuid PRIMARY KEY,
    app_id   uuid NOT NULL REFERENCES app,
    number   integer NOT NULL,
    made_at  timestamptz NOT NULL,
    token    bigint NOT NULL,
    record   jsonb NOT NULL
);
COMMENT ON COLUMN decision.number IS 'Revision that was placed';
COMMENT ON COLUMN decision.token IS 'Term of the leader that decided';
COMMENT ON COLUMN decision.record IS 'fluxplane_placement::DecisionRecord; replays to the same answer';

CREATE TABLE instance (
    id             uuid PRIMARY KEY,
    app_id         uuid NOT NULL REFERENCES app,
    slot           integer NOT NULL CHECK (slot >= 0),
    state          text NOT NULL CHECK (state IN (
        'pending', 'assigned', 'pulling', 'starting', 'healthy', 'unhealthy', 'failed',
        'stopping', 'stopped', 'lost')),
    reason         text NOT NULL DEFAULT '',
    pending_filter text,
    revision_id    uuid NOT NULL REFERENCES revision,
    node_id        uuid REFERENCES node,
    epoch          bigint NOT NULL CHECK (epoch >= 0),
    decision_id    uuid REFERENCES decision,
    traceparent    text NOT NULL DEFAULT '',
    created_at     timestamptz NOT NULL,
    assigned_at    timestamptz,
    told_version   bigint,
    told_at        timestamptz,
    healthy_at     timestamptz,
    state_since    timestamptz NOT NULL,
    observed_at    timestamptz,
    tried_at       timestamptz,
    ended_at       timestamptz,
    left_version   bigint,
    released_at    timestamptz,
    CHECK ((state IN ('stopped', 'lost')) = (ended_at IS NOT NULL)),
    CHECK (node_id IS NOT NULL OR state IN ('pending', 'stopped')),
    CHECK (state <> 'pending' OR reason <> ''),
    CHECK ((node_id IS NULL) = (assigned_at IS NULL)),
    CHECK (released_at IS NULL OR state IN ('stopped', 'lost'))
);
COMMENT ON COLUMN instance.epoch IS 'Which assignment this is; grows with each, reports about older ones are ignored';
COMMENT ON COLUMN instance.pending_filter IS 'The filter that removed most nodes when it was tried last';
COMMENT ON COLUMN instance.traceparent IS 'Trace of the deployment, as told to the node; fixed per assignment';
COMMENT ON COLUMN instance.told_version IS 'Version of the node''s desired state that first held this assignment';
COMMENT ON COLUMN instance.left_version IS 'Version of the node''s desired state that first lacked the instance';
COMMENT ON COLUMN instance.tried_at IS 'When a node was last looked for in vain';
COMMENT ON COLUMN instance.observed_at IS 'When the report arrived that changed it last; older reports are ignored';
COMMENT ON COLUMN instance.released_at IS 'Since when its node is known not to run it; until then it takes room there';
-- One copy per slot; those that leave or left do not count.
CREATE UNIQUE INDEX instance_slot ON instance (app_id, slot) WHERE state IN (
    'pending', 'assigned', 'pulling', 'starting', 'healthy', 'unhealthy', 'failed');
CREATE INDEX instance_app ON instance (app_id, created_at);
CREATE INDEX instance_room ON instance (node_id) WHERE released_at IS NULL;
CREATE INDEX instance_active ON instance (app_id) WHERE ended_at IS NULL OR released_at IS NULL;
CREATE INDEX instance_tried ON instance (app_id) WHERE tried_at IS NOT NULL;
CREATE INDEX instance_decision ON instance (decision_id);

CREATE TABLE app_event (
    sequence        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    app_id          uuid NOT NULL REFERENCES app,
    at              timestamptz NOT NULL,
    stage           text NOT NULL,
    instance_id     uuid,
    node_id         uuid,
    revision_number integer NOT NULL,
    message         text NOT NULL
);
COMMENT ON TABLE app_event IS 'The timeline. Written with the row of the application locked, so sequences of one application become visible in order';
CREATE INDEX app_event_app ON app_event (app_id, sequence);
