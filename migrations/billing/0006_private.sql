-- A price does not depend on the environment of containers, and quotes do not keep it any more.

UPDATE quote SET spec = jsonb_set(
    spec::jsonb, '{compose}',
    (SELECT coalesce(jsonb_agg(component || '{"environmentParameters": []}' ORDER BY place), '[]')
     FROM jsonb_array_elements(spec::jsonb -> 'compose') WITH ORDINALITY AS listed (component, place)))::text
-- What jsonb cannot hold was never deployed.
WHERE CASE WHEN position('\u0000' IN spec) > 0 THEN false ELSE jsonb_typeof(spec::jsonb -> 'compose') = 'array' END;
COMMENT ON COLUMN quote.spec IS 'What a later price depends on of the specification: all but environments and encrypted parts';
COMMENT ON COLUMN quote.spec_sha256 IS 'Of the whole canonical specification, as it is signed';
