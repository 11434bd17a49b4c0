-- Roles, schemas and rights of the services. Run once per database by its owner; running it again changes nothing but
-- the passwords.
--
-- Each service is a role that owns one schema and sees no other, so that each can move to a database of its own. The
-- password of a role is read from the session setting `fluxplane.password_<role>`, so that none stands in a file:
--
--   PGOPTIONS="-c fluxplane.password_billing=…" psql -f bootstrap.sql

DO $$
DECLARE
    service text;
    secret  text;
BEGIN
    FOREACH service IN ARRAY ARRAY[
        'gateway', 'scheduler', 'registry', 'billing', 'indexer', 'validator'
    ] LOOP
        secret := current_setting('fluxplane.password_' || service, true);
        IF coalesce(secret, '') = '' THEN
            RAISE EXCEPTION 'setting fluxplane.password_% is empty', service
                USING HINT = 'Set one password per service role before running this script.';
        END IF;
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = service) THEN
            EXECUTE format('CREATE ROLE %I LOGIN NOINHERIT', service);
        END IF;
        EXECUTE format('ALTER ROLE %I PASSWORD %L', service, secret);
        EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I AUTHORIZATION %I', service, service);
        EXECUTE format('ALTER ROLE %I IN DATABASE %I SET search_path = %I',
                       service, current_database(), service);
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), service);
    END LOOP;
    -- Nobody works in the common schema.
    REVOKE ALL ON SCHEMA public FROM PUBLIC;
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
END
$$;
