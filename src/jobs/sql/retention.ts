// What the sweep throws away: rows that can matter to nobody any more, in portions that hold no lock for long.
import { sql } from 'drizzle-orm'
import type { Database } from '../../infra/database.ts'

const portion = 10_000

export async function dropOldKeys(database: Database): Promise<void> {
  await database.query(sql`
    DELETE FROM idempotency_keys WHERE ctid IN (
      SELECT ctid FROM idempotency_keys WHERE created_at <= now() - interval '24 hours' LIMIT ${portion})`)
}

/** Sessions that ended, or ran out, a week ago: until then they answer "where was I signed in". */
export async function dropEndedSessions(database: Database): Promise<void> {
  await database.query(sql`
    DELETE FROM sessions WHERE id IN (
      SELECT id FROM sessions WHERE expires_at <= now() - interval '7 days' LIMIT ${portion})`)
}
