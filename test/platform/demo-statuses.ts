// The day before the demo: statuses that the demo machines had, so that the console has something to show at once.
import { foldName } from '../../src/accounts/account.ts'
import type { Statement } from '../../src/infra/sql-client.ts'
import type { MachineStatus } from '../../src/machines/machine.ts'

/** Minutes before the demo data was written. Null: the machine was silent; only for those that report. */
const day: [minutes: number, status: MachineStatus | null][] = [
  [1_600, 'READY'],
  [1_320, 'RUNNING'],
  [860, 'READY'],
  [790, 'RUNNING'],
  [560, 'ERROR'],
  [530, 'READY'],
  [420, 'RUNNING'],
  [250, null],
  [215, 'RUNNING'],
]

/** Each machine does it at another time. */
const shiftMinutes = 13

export function insertDemoStatuses(username: string): Statement {
  return {
    query: `INSERT INTO machine_statuses (machine_id, at, status, source)
      SELECT m.id, m.status_at - make_interval(mins => day.minutes - ${shiftMinutes} * m.place::int), day.status,
        CASE WHEN m.site_id IS NULL THEN 'command' ELSE 'report' END
      FROM (
        SELECT machines.*, row_number() OVER (ORDER BY machines.id) AS place
        FROM machines JOIN accounts a ON a.id = owner_id WHERE a.username_key = $1
      ) m, jsonb_to_recordset($2::jsonb) AS day (minutes int, status text)
      WHERE day.status IS NOT NULL OR m.site_id IS NOT NULL`,
    params: [foldName(username), JSON.stringify(day.map(([minutes, status]) => ({ minutes, status })))],
  }
}
