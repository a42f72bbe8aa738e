// Reads what decides which changes a caller may hear of.
import { sql } from 'drizzle-orm'
import { requireCaller, selectCaller } from '../../accounts/sql/caller.ts'
import type { Caller } from '../../http/context.ts'
import type { Database } from '../../infra/database.ts'
import { prepare } from '../../infra/prepare.ts'
import { selectMemberships } from '../../sites/sql/role.ts'
import type { Audience } from '../audience.ts'

const audience = prepare<Caller>(
  (caller) => sql`
    WITH caller AS (${selectCaller(caller)}), memberships AS MATERIALIZED (${selectMemberships})
    SELECT id AS account_id, is_staff, key_machine_id, key_site_id,
      (SELECT coalesce(jsonb_agg(site_id ORDER BY site_id), '[]') FROM memberships WHERE site_id IS NOT NULL) AS site_ids,
      (SELECT coalesce(jsonb_agg(machine_id ORDER BY machine_id), '[]') FROM memberships WHERE machine_id IS NOT NULL)
        AS machine_ids,
      (SELECT coalesce(jsonb_agg(role ORDER BY site_id, machine_id), '[]') FROM memberships) AS roles
    FROM caller`,
)

/** @throws TiebarError `session_ended` */
export async function readAudience(database: Database, caller: Caller): Promise<Audience> {
  return requireCaller(await database.query<Audience>('read-audience', audience(caller)))
}
