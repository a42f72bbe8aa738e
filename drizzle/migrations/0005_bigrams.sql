-- All pairs of neighbouring characters, in lower case as ILIKE compares: an index on them finds any part of a text from two
-- characters on. The trigrams of pg_trgm find parts from three on, and a Korean word is often two.
CREATE FUNCTION bigrams(input text) RETURNS text[] LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  characters text[] := string_to_array(lower(input), NULL);
  pairs text[] := '{}';
BEGIN
  FOR i IN 1 .. cardinality(characters) - 1 LOOP
    pairs[i] := characters[i] || characters[i + 1];
  END LOOP;
  RETURN pairs;
END $$;
