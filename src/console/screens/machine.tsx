// One machine: status, START and STOP, the open job, and all that belongs to it.
import { useLayoutEffect, useRef } from 'hono/jsx/dom'
import type { Machine } from '../../client/api.ts'
import { TiebarProblem } from '../../client/client.ts'
import { stopMachine } from '../actions.ts'
import { toHash } from '../address.ts'
import { DataAge } from '../components/age.tsx'
import { ReadProblem } from '../components/connection.tsx'
import { useHolds } from '../components/holds.tsx'
import { MachineFacts } from '../components/machine-facts.tsx'
import { MachineSections } from '../components/machine-sections.tsx'
import { Operate } from '../components/operate.tsx'
import { Problem } from '../components/problem.tsx'
import { Empty, Screen } from '../components/screen.tsx'
import { MachineStatus } from '../components/status.tsx'
import { text } from '../language.ts'
import { collectAfter } from '../live.ts'
import { notePeople } from '../people.ts'
import { useResource } from '../resource.ts'
import { mayManage, mayOperate } from '../role.ts'
import { client } from '../session.ts'
import { useShown } from '../status.ts'
import { readStatusHistory } from '../status-history.ts'

const recentJobs = 20
const openEveryMs = 1_000
const maxMembers = 100
/** Keeps the line of the location until it is read. */
const noLead = '\u00a0'

/** The machine, then its latest jobs and its statuses. Without a role on the machine there is no history. */
async function readMachine(id: number) {
  const machine = await client.ask('readMachine', { path: { id } })
  if (machine.my_role === null) return { machine, jobs: [], statuses: [] }
  const [{ items: jobs }, statuses] = await Promise.all([
    client.ask('listMachineJobs', { path: { id }, query: { limit: recentJobs } }),
    readStatusHistory(id),
  ])
  return { machine, jobs, statuses }
}

export function MachineScreen({ id }: { id: number }) {
  const resource = useResource(`machine-${id}`, () => readMachine(id), id)
  const { value } = resource
  const openJob = value?.jobs.find((job) => job.finished_at === null)
  const hasOpenJob = openJob !== undefined
  useLayoutEffect(() => (hasOpenJob ? collectAfter(id, openEveryMs) : undefined), [hasOpenJob, id])
  const holds = useHolds(id, value?.machine.my_role ?? null)
  useMemberNames(value?.machine)
  useStopShortcut(id, mayOperate(value?.machine.my_role ?? null))
  if (!value) {
    return (
      <Screen
        title={text('machine_title', { id })}
        lead={noLead}
        back={{ href: toHash('board'), label: text('back_to_board') }}
        actions={<DataAge at={undefined} />}
      >
        {resource.error === undefined ? <MachineSkeleton /> : <Missing {...resource} />}
      </Screen>
    )
  }
  const { machine, jobs, statuses } = value
  return (
    <Screen
      key="loaded"
      title={machine.name}
      lead={machine.location}
      back={{ href: toHash('board'), label: text('back_to_board') }}
      actions={<DataAge at={resource.readAt} />}
    >
      <ReadProblem error={resource.error} onRetry={resource.reload} />
      <Announcer machine={machine} />
      <div class="machine">
        <section class="panel machine-now" aria-label={text('machine_says')}>
          <MachineStatus machine={machine} isLarge />
          <MachineFacts machine={machine} holds={holds.value?.items} />
        </section>
        <Operate machine={machine} openJob={openJob} lastJob={jobs[0]} reload={resource.reload} />
        <MachineSections machine={machine} jobs={jobs} statuses={statuses} holds={holds} reload={resource.reload} />
      </div>
    </Screen>
  )
}

/** The panels of every machine, in their places. */
function MachineSkeleton() {
  return (
    <div class="machine" role="status">
      <span class="visually-hidden">{text('loading')}</span>
      <div class="skeleton skeleton-now" />
      <div class="skeleton skeleton-operate" />
      <div class="skeleton skeleton-bar" />
    </div>
  )
}

function Missing({ error, reload }: { error: unknown; reload: () => void }) {
  const isGone = error instanceof TiebarProblem && error.status === 404
  if (!isGone) return <Problem error={error} onRetry={reload} />
  return (
    <Empty title={text('machine_gone')} detail={text('machine_gone_detail')}>
      <a class="button is-primary" href={toHash('board')}>
        {text('to_board')}
      </a>
    </Empty>
  )
}

/** Tells screen readers what has changed: an alarm or an error at once, anything else when they are silent. */
function Announcer({ machine }: { machine: Machine }) {
  const { status } = useShown(machine)
  const { alarm } = machine.reported ?? {}
  const words = `${machine.name}: ${text(`status_${status}`)}`
  const isUrgent = status === 'ERROR' || Boolean(alarm)
  return (
    <>
      <p class="visually-hidden" aria-live="polite">
        {isUrgent ? '' : words}
      </p>
      <p class="visually-hidden" aria-live="assertive">
        {isUrgent ? [words, alarm?.text].filter(Boolean).join('. ') : ''}
      </p>
    </>
  )
}

/** Control or Command with the full stop, from anywhere on the screen. */
function useStopShortcut(id: number, isAllowed: boolean): void {
  const allowed = useRef(isAllowed)
  allowed.current = isAllowed
  useLayoutEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (event.key !== '.' || !(event.ctrlKey || event.metaKey) || event.repeat || !allowed.current) return
      event.preventDefault()
      void stopMachine(id)
    }
    addEventListener('keydown', listen)
    return () => removeEventListener('keydown', listen)
  }, [id])
}

/** So that people have names. Only managers may read the members, of the machine and of its site: others see ids. */
function useMemberNames(machine: Machine | undefined): void {
  const { id, site_id: siteId = null, my_role: role = null } = machine ?? {}
  useLayoutEffect(() => {
    if (id === undefined || !mayManage(role)) return
    const query = { limit: maxMembers }
    const lists = [client.ask('listMachineMembers', { path: { id }, query })]
    if (siteId !== null) lists.push(client.ask('listSiteMembers', { path: { id: siteId }, query }))
    // A manager of the machine alone may not read those of the site.
    for (const list of lists) list.then(({ items }) => notePeople(items)).catch(() => {})
  }, [id, siteId, role])
}
