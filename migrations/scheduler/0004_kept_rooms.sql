-- Room on nodes that is kept while a quote is firm, and then until its application is paid and placed.

CREATE TABLE kept_room (
    id         uuid PRIMARY KEY,
    hold_id    uuid NOT NULL,
    name_key   text NOT NULL,
    owner      text NOT NULL,
    app_id     uuid REFERENCES app,
    node_id    uuid NOT NULL REFERENCES node,
    cpu_milli  bigint NOT NULL CHECK (cpu_milli >= 0),
    ram_mib    bigint NOT NULL CHECK (ram_mib >= 0),
    disk_gib   bigint NOT NULL CHECK (disk_gib >= 0),
    ports      integer[] NOT NULL,
    until      timestamptz,
    unseen     boolean NOT NULL DEFAULT true,
    CHECK (until IS NOT NULL OR app_id IS NOT NULL)
);
COMMENT ON TABLE kept_room IS 'One row per copy that would fit. One that is over counts as gone, and is removed in time';
COMMENT ON COLUMN kept_room.hold_id IS 'What was kept at once, for one quote';
COMMENT ON COLUMN kept_room.name_key IS 'Name of the application in lower case';
COMMENT ON COLUMN kept_room.app_id IS 'The application that was submitted with the quote';
COMMENT ON COLUMN kept_room.until IS 'End of the quote; null while the application waits for its payment';
COMMENT ON COLUMN kept_room.unseen IS 'The leader has not taken this into its memory yet';
CREATE INDEX kept_room_node ON kept_room (node_id);
CREATE INDEX kept_room_name ON kept_room (name_key, owner);
CREATE INDEX kept_room_owner ON kept_room (owner);
CREATE INDEX kept_room_app ON kept_room (app_id) WHERE app_id IS NOT NULL;
CREATE INDEX kept_room_hold ON kept_room (hold_id);
CREATE INDEX kept_room_unseen ON kept_room (node_id) WHERE unseen;
CREATE INDEX kept_room_until ON kept_room (until);

-- Ports belong to an address, which several nodes may share.
CREATE INDEX node_ip ON node (ip);
