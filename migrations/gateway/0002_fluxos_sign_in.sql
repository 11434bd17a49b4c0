-- Signing in as FluxOS' clients do: a phrase for anybody, and its signature as the credential of every request.

CREATE TABLE login_phrase (
    phrase     text PRIMARY KEY,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CHECK (expires_at > created_at)
);
COMMENT ON TABLE login_phrase IS 'Phrases of FluxOS'' sign-in, which are made for nobody in particular. A row leaves when its phrase is used';
CREATE INDEX login_phrase_expires_at ON login_phrase (expires_at);

ALTER TABLE session_token DROP CONSTRAINT session_token_kind_check;
ALTER TABLE session_token ADD CONSTRAINT session_token_kind_check
    CHECK (kind IN ('access', 'refresh', 'fluxos'));
COMMENT ON COLUMN session_token.kind IS 'fluxos: what a client of FluxOS sends with every request; its digest is that of address, phrase and signature';
