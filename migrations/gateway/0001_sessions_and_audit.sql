-- Who is signed in, and what everybody changed.

CREATE TABLE challenge (
    phrase     text PRIMARY KEY,
    address    text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CHECK (expires_at > created_at)
);
COMMENT ON TABLE challenge IS 'Phrases to be signed. A row leaves when its phrase is used, so a phrase works once';
COMMENT ON COLUMN challenge.address IS 'The wallet it was made for; no other can use it';
CREATE INDEX challenge_expires_at ON challenge (expires_at);

CREATE TABLE session (
    id         uuid PRIMARY KEY,
    principal  text NOT NULL,
    created_at timestamptz NOT NULL,
    ended_at   timestamptz,
    end_reason text,
    CHECK ((ended_at IS NULL) = (end_reason IS NULL)),
    CHECK (end_reason IN ('signed_out', 'token_reused', 'too_many'))
);
COMMENT ON TABLE session IS 'A signed-in period of a wallet; all its tokens live and die with it';
COMMENT ON COLUMN session.principal IS 'Canonical wallet address: FluxID, or 0x address with its checksum';
CREATE INDEX session_principal ON session (principal, created_at DESC) WHERE ended_at IS NULL;

CREATE TABLE session_token (
    token_sha256 bytea PRIMARY KEY CHECK (length(token_sha256) = 32),
    session_id   uuid NOT NULL REFERENCES session ON DELETE CASCADE,
    kind         text NOT NULL CHECK (kind IN ('access', 'refresh')),
    issued_at    timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    used_at      timestamptz,
    CHECK (expires_at > issued_at),
    CHECK (used_at IS NULL OR kind = 'refresh')
);
COMMENT ON COLUMN session_token.token_sha256 IS 'The token itself is shown once and kept nowhere';
COMMENT ON COLUMN session_token.used_at IS 'A refresh token works once; seen again, it ends the session';
CREATE INDEX session_token_session ON session_token (session_id);
CREATE INDEX session_token_expires_at ON session_token (expires_at);

CREATE TABLE audit (
    id          uuid PRIMARY KEY,
    at          timestamptz NOT NULL,
    principal   text NOT NULL,
    session_id  uuid,
    method      text NOT NULL,
    route       text NOT NULL,
    target      text NOT NULL,
    request_id  text NOT NULL,
    status      smallint CHECK (status BETWEEN 100 AND 599),
    code        text,
    finished_at timestamptz,
    CHECK ((status IS NULL) = (finished_at IS NULL))
);
COMMENT ON TABLE audit IS 'One row per changing call, written before the call is made and completed after it';
COMMENT ON COLUMN audit.principal IS 'Empty when the call came without a session and proved nobody';
COMMENT ON COLUMN audit.route IS 'Path template of the operation';
COMMENT ON COLUMN audit.target IS 'What the call was about: the path as called, or what it made';
COMMENT ON COLUMN audit.status IS 'HTTP status of the answer; null when the process died before there was one';
COMMENT ON COLUMN audit.code IS 'Reason code of a refusal';
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_principal ON audit (principal, at);
CREATE INDEX audit_request_id ON audit (request_id);
