-- Nodes, the permissions by which they join, and what each of them shall run.

CREATE TABLE join_token (
    id              uuid PRIMARY KEY,
    token_sha256    bytea NOT NULL UNIQUE,
    operator        text NOT NULL,
    collateral_txid text NOT NULL,
    collateral_vout bigint NOT NULL,
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    used_at         timestamptz,
    CHECK (expires_at > created_at)
);
COMMENT ON COLUMN join_token.token_sha256 IS 'The token itself is shown once and kept nowhere';

CREATE TABLE node (
    id                     uuid PRIMARY KEY,
    operator               text NOT NULL,
    collateral_txid        text NOT NULL,
    collateral_vout        bigint NOT NULL,
    tier                   smallint NOT NULL CHECK (tier BETWEEN 1 AND 3),
    state                  text NOT NULL CHECK (
        state IN ('joined', 'ready', 'suspect', 'lost', 'ineligible', 'retired')),
    state_reason           text NOT NULL DEFAULT '',
    cpu_milli              bigint NOT NULL CHECK (cpu_milli >= 0),
    ram_mib                bigint NOT NULL CHECK (ram_mib >= 0),
    disk_gib               bigint NOT NULL CHECK (disk_gib >= 0),
    benchmark              jsonb NOT NULL,
    continent              text NOT NULL,
    country                text NOT NULL,
    region                 text NOT NULL,
    ip                     text NOT NULL,
    static_ip              boolean NOT NULL,
    probe_port             integer NOT NULL CHECK (probe_port BETWEEN 1 AND 65535),
    agent_version          text NOT NULL DEFAULT '',
    runtime                text NOT NULL DEFAULT '',
    agent_pubkey           bytea NOT NULL,
    certificate_expires_at timestamptz NOT NULL,
    joined_at              timestamptz NOT NULL,
    last_heartbeat_at      timestamptz,
    heartbeat_sequence     bigint NOT NULL DEFAULT 0,
    usage_sequence         bigint NOT NULL DEFAULT 0,
    version                bigint NOT NULL DEFAULT 1
);
COMMENT ON COLUMN node.agent_pubkey IS 'Raw Ed25519 key of the certificate; signs heartbeats and usage reports';
COMMENT ON COLUMN node.heartbeat_sequence IS 'Highest accepted; a beat that does not exceed it is a replay';
-- One machine per collateral; a retired one stays as history.
CREATE UNIQUE INDEX node_collateral ON node (collateral_txid, collateral_vout) WHERE state <> 'retired';
CREATE INDEX node_operator ON node (operator, id);
CREATE INDEX node_state ON node (state);

CREATE TABLE desired_state (
    node_id    uuid PRIMARY KEY REFERENCES node,
    version    bigint NOT NULL,
    epoch      bigint NOT NULL,
    payload    bytea NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN desired_state.payload IS 'Serialised fluxplane.node_registry.v1.DesiredState, always the full set';
COMMENT ON COLUMN desired_state.epoch IS 'Fencing token of the scheduler that decided; a lower one is refused';
