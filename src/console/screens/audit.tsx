// Who changed which right, member, key, machine or hold. The API shows what the user may see.
import type { AuditEvent } from '../../client/api.ts'
import { toHash } from '../address.ts'
import { Age } from '../components/age.tsx'
import { Person } from '../components/person.tsx'
import { Problem } from '../components/problem.tsx'
import { Empty, Screen, Skeleton } from '../components/screen.tsx'
import { text } from '../language.ts'
import { useResource } from '../resource.ts'
import { route } from '../router.ts'
import { client } from '../session.ts'
import { useStore } from '../state.ts'

const pageLimit = 50

export function AuditScreen() {
  const { cursor = '' } = useStore(route).query
  const audit = useResource(`audit-${cursor}`, () =>
    client.ask('listAuditEvents', { query: { limit: pageLimit, ...(cursor && { cursor }) } }),
  )
  const items = audit.value?.items
  const next = audit.value?.next_cursor
  return (
    <Screen title={text('nav_audit')} lead={text('audit_lead')}>
      {audit.error !== undefined && <Problem error={audit.error} onRetry={audit.reload} />}
      {!items && audit.error === undefined && <Skeleton kind="line" count={8} />}
      {items?.length === 0 && <Empty title={text('no_audit_title')} detail={text('no_audit_detail')} />}
      {items && items.length > 0 && (
        <ol class="rows panel">
          {items.map((event) => (
            <AuditRow key={event.id} event={event} />
          ))}
        </ol>
      )}
      {next && (
        <a class="button" href={toHash('audit', { query: { cursor: next } })}>
          {text('next_page')}
        </a>
      )}
    </Screen>
  )
}

function AuditRow({ event }: { event: AuditEvent }) {
  return (
    <li class="row">
      <div class="row-main">
        <strong>{text(`action_${event.action}`)}</strong>
        <span class="row-meta">
          <Subject subject={event.subject} /> ·{' '}
          {event.actor === null ? text('by_program') : <Person id={event.actor} />} · <Age at={event.at} />
        </span>
        {(event.before || event.after) && (
          <span class="row-meta">
            <code>{describeValues(event.before)}</code> → <code>{describeValues(event.after)}</code>
          </span>
        )}
      </div>
    </li>
  )
}

function Subject({ subject }: { subject: string }) {
  const id = /^machine:(\d+)$/.exec(subject)?.[1]
  return id === undefined ? <span>{subject}</span> : <a href={toHash('machine', { id: Number(id) })}>{subject}</a>
}

function describeValues(values: AuditEvent['before']): string {
  const pairs = Object.entries(values ?? {}).map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
  return pairs.join(', ') || '–'
}
