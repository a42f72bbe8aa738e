// Time that passes on demand. The clock is stepped by SQL: every time that stands in the world's own database is moved
// into the past, which to the statements is the same as waiting; what QStash keeps is due that much earlier.
import type { World } from '../harness.ts'

/** Not while an attempt is under way: its lease would be over before its own deadline. */
export async function passTime(world: World, seconds: number): Promise<void> {
  const { postgres, qstash } = world
  const by = [`${seconds} seconds`]
  await postgres.query('UPDATE machines SET leased_until = leased_until - $1::interval', by)
  await postgres.query('UPDATE job_events SET at = at - $1::interval', by)
  await postgres.query(
    `UPDATE jobs SET requested_at = requested_at - $1::interval, not_after = not_after - $1::interval,
      sent_at = sent_at - $1::interval, pending_since = pending_since - $1::interval,
      published_at = published_at - $1::interval, finished_at = finished_at - $1::interval`,
    by,
  )
  qstash.advance(seconds * 1_000)
}
