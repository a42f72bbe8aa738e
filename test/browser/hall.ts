// A site whose machines are in every condition that the board shows, as rows: reports of a hundred machines would take long.
import type { MachineStatus } from '../../src/machines/machine.ts'
import { makeKey } from '../accounts/people.ts'
import type { Person, World } from '../harness.ts'
import { createSite, type Site } from '../sites/places.ts'

/** A machine without `reported` does not report: its status is what a command or a person has said. */
type Condition = {
  status: MachineStatus
  reported?: { mode?: string; alarm?: readonly [string, string]; secondsAgo?: number }
  /** Why somebody is at the machine. */
  hold?: string
  openJob?: 'START' | 'STOP'
}

export const conditions = {
  running: { status: 'RUNNING', reported: { mode: 'automatic' } },
  ready: { status: 'READY', reported: { mode: 'automatic' } },
  error: { status: 'ERROR', reported: { alarm: ['E-204', '금형 보호 이상'] } },
  stale: { status: 'RUNNING', reported: { mode: 'automatic', secondsAgo: 3_600 } },
  held: { status: 'READY', reported: { mode: 'setup' }, hold: '금형 교체' },
  starting: { status: 'READY', reported: { mode: 'automatic' }, openJob: 'START' },
  pending: { status: 'PENDING' },
  poweredOff: { status: 'POWEROFF', reported: {} },
  believed: { status: 'RUNNING' },
} as const satisfies Record<string, Condition>

export type ConditionName = keyof typeof conditions
export type HallMachine = { id: number; condition: ConditionName }
export type Hall = { site: Site; machines: HallMachine[] }

const names = Object.keys(conditions) as ConditionName[] // `Object.keys` forgets the type of the keys
const intervalSeconds = 300
const reportFreshFor = 3 * intervalSeconds

/** A site of this person with so many machines, whose conditions take turns. */
export async function fillHall(world: World, owner: Person, count: number): Promise<Hall> {
  const site = await createSite(owner)
  // With a key that may report, the machines can fetch commands, so START has no other obstacle than their conditions.
  await makeKey(world, owner, { scopes: ['report'], site_id: site.id })
  const machines: HallMachine[] = []
  for (let n = 0; n < count; n++) {
    const condition = names[n % names.length] ?? 'ready'
    machines.push({ id: await addMachine(world, owner, site, n + 1, conditions[condition]), condition })
  }
  return { site, machines }
}

export function findIn({ machines }: Hall, condition: ConditionName): number {
  const found = machines.find((machine) => machine.condition === condition)
  if (!found) throw new Error(`the hall has no machine that is ${condition}`)
  return found.id
}

async function addMachine(world: World, owner: Person, site: Site, n: number, condition: Condition): Promise<number> {
  const { status, reported, hold, openJob } = condition
  const [row] = await world.postgres.query(
    `INSERT INTO machines (name, location, owner_id, site_id, status, status_source, status_at)
     VALUES ($1, $2, $3, $4, $5, $6, now() - make_interval(mins => 17)) RETURNING id`,
    [`사출기 ${n}호 우진플라임 TE 220`, `1공장 A열 ${n}번`, owner.id, site.id, status, reported ? 'report' : 'command'],
  )
  const id = Number(row?.id)
  if (reported) await addReport(world, id, status, reported)
  if (hold) await owner.request('POST', `/api/machines/${id}/holds`, { body: { reason: hold } })
  if (openJob) await world.operate(owner, id, openJob, 600)
  return id
}

async function addReport(
  world: World,
  id: number,
  status: MachineStatus,
  reported: NonNullable<Condition['reported']>,
) {
  const { mode = null, alarm = [null, null], secondsAgo = 2 } = reported
  await world.postgres.query(
    `INSERT INTO machine_reports (machine_id, boot_id, seq, status, mode, remote_enabled, cycles, last_cycle_ms,
       alarm_code, alarm_text, interval_seconds, at)
     VALUES ($1, 'boot', 1, $2, $3, true, 128400, 23400, $4, $5, $6, now() - make_interval(secs => $7))`,
    [id, status, mode, ...alarm, secondsAgo > reportFreshFor ? 5 : intervalSeconds, secondsAgo],
  )
}
