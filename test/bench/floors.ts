// The floor of each write: the least statement that checks the caller and stores the same rows. It decides nothing, so it is
// what our rules are compared with. The bare worker sends it as text, as it would without our functions.
import type { SessionCaller } from '../../src/http/context.ts'
import { hashInPlan, idInPlan, newIdInPlan, type Plan } from './plan.ts'

export type Floor = Pick<Plan, 'statements' | 'isTransaction'>

const alone = (query: string, params: unknown[]): Floor => ({ statements: [{ query, params }], isTransaction: false })

const session = `WITH caller AS (
    SELECT a.id FROM sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.id = $1::uuid AND s.account_id = $2::bigint AND s.ended_at IS NULL AND s.expires_at > now() AND a.is_active
  )`

const idsOf = ({ sessionId, accountId }: SessionCaller) => [sessionId, accountId]

export function createFloor(caller: SessionCaller, { name, location }: { name: string; location: string }): Floor {
  const query = `${session},
    m AS (INSERT INTO machines (name, location, owner_id) SELECT $3, $4, id FROM caller RETURNING *),
    event AS (
      INSERT INTO audit_events (actor, action, subject, after)
      SELECT owner_id, 'machine.add', 'machine:' || id, jsonb_build_object('owner_id', owner_id, 'status', status) FROM m
    )
    SELECT * FROM m`
  return alone(query, [...idsOf(caller), name, location])
}

export function patchFloor(caller: SessionCaller, { name }: { name: string }): Floor {
  const query = `${session}
    UPDATE machines m SET name = $4, updated_at = now(), revision = m.revision + 1 FROM caller
    WHERE m.id = $3::bigint AND m.owner_id = caller.id RETURNING m.*`
  return alone(query, [...idsOf(caller), idInPlan, name])
}

export function operationFloor(caller: SessionCaller): Floor {
  const query = `${session},
    numbered AS (
      UPDATE machines m SET last_sequence = m.last_sequence + 1 FROM caller
      WHERE m.id = $3::bigint AND m.owner_id = caller.id RETURNING m.id, m.owner_id, m.last_sequence
    ),
    stored AS (
      INSERT INTO jobs (id, machine_id, machine_owner_id, command, sequence, state, requested_by, requested_at, not_after, due_at)
      SELECT $4::uuid, id, owner_id, 'START', last_sequence, 'QUEUED', $2::bigint, now(), now() + interval '60 seconds',
        now() + interval '5 seconds' FROM numbered
      RETURNING *
    ),
    event AS (
      INSERT INTO job_events (job_id, version, state, at, by) SELECT id, version, state, now(), requested_by::text FROM stored
    )
    SELECT * FROM stored`
  return alone(query, [...idsOf(caller), idInPlan, newIdInPlan])
}

export function refreshFloor({ accountId }: SessionCaller): Floor {
  const query = `
    UPDATE sessions s SET previous_refresh_id = s.refresh_id, refresh_id = $1::uuid, refreshed_at = now(),
      expires_at = now() + interval '1 day'
    FROM accounts a
    WHERE s.id = $2::uuid AND s.account_id = $3::bigint AND s.refresh_id = $4::uuid AND s.ended_at IS NULL
      AND a.id = s.account_id AND a.is_active
    RETURNING s.refresh_id`
  return alone(query, [newIdInPlan, String(idInPlan), accountId, String(idInPlan)])
}

type Report = { boot_id: string; seq: number; status: string; interval_seconds: number; cycles: number }

export function reportFloor(keyId: string, { boot_id, seq, status, interval_seconds, cycles }: Report): Floor {
  const query = `WITH caller AS (
      SELECT a.id FROM keys k JOIN accounts a ON a.id = k.account_id
      WHERE k.id = $1::uuid AND k.secret_hash = $2 AND k.revoked_at IS NULL AND a.is_active
    )
    INSERT INTO machine_reports (machine_id, boot_id, seq, status, interval_seconds, cycles, at)
    SELECT $3::bigint, $4, $5::bigint, $6, $7::int, $8::bigint, now() FROM caller
    ON CONFLICT (machine_id) DO UPDATE SET boot_id = excluded.boot_id, seq = excluded.seq, status = excluded.status,
      interval_seconds = excluded.interval_seconds, cycles = excluded.cycles, at = excluded.at
    RETURNING machine_id`
  return alone(query, [keyId, hashInPlan, idInPlan, boot_id, seq, status, interval_seconds, cycles])
}
