// Ends the sessions, keys and password resets of all accounts after a restore from a backup: those that ended or were used
// after the backup are valid again.
import { sql } from 'drizzle-orm'

/** Returns `{ ended }`, the number of sessions. */
export const endAllSessions = sql`
  WITH ended AS (
    UPDATE sessions SET ended_at = now() WHERE ended_at IS NULL AND expires_at > now() RETURNING id
  )
  SELECT count(*) AS ended FROM ended`

/** The tokens that staff handed out. Returns `{ revoked }`, their number. */
export const revokeAllResets = sql`
  WITH revoked AS (DELETE FROM password_resets RETURNING account_id)
  SELECT count(*) AS revoked FROM revoked`

/** Returns `{ revoked }`, the number of keys. */
export const revokeAllKeys = sql`
  WITH revoked AS (UPDATE keys SET revoked_at = now() WHERE revoked_at IS NULL RETURNING id)
  SELECT count(*) AS revoked FROM revoked`
