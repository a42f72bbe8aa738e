// Lets time pass on demand. SQL moves every time in the world's own database into the past, which has the same effect
// on the statements as waiting. Messages that QStash keeps become due earlier by the same amount.
import type { World } from '../harness.ts'

/** Do not call this while an attempt is in progress: its lease would expire before its own deadline. */
export async function passTime(world: World, seconds: number): Promise<void> {
  const { postgres, qstash } = world
  const by = [`${seconds} seconds`]
  await postgres.query('UPDATE machines SET leased_until = leased_until - $1::interval', by)
  await postgres.query('UPDATE job_events SET at = at - $1::interval', by)
  await postgres.query(
    `UPDATE jobs SET requested_at = requested_at - $1::interval, not_after = not_after - $1::interval,
      sent_at = sent_at - $1::interval, pending_since = pending_since - $1::interval,
      published_at = published_at - $1::interval, finished_at = finished_at - $1::interval,
      next_attempt_at = next_attempt_at - $1::interval, due_at = due_at - $1::interval`,
    by,
  )
  qstash.advance(seconds * 1_000)
}
