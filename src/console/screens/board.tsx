// All machines: what they do, since when, and a STOP for each.
import type { BoardMachine } from '../../client/api.ts'
import { type Query, toHash } from '../address.ts'
import { DataAge } from '../components/age.tsx'
import { BoardFilters } from '../components/board-filters.tsx'
import { ReadProblem } from '../components/connection.tsx'
import { Icon } from '../components/icon.tsx'
import { MachineCard } from '../components/machine-card.tsx'
import { Problem } from '../components/problem.tsx'
import { Empty, Screen, Skeleton } from '../components/screen.tsx'
import { text } from '../language.ts'
import { useResource } from '../resource.ts'
import { replaceQuery, route } from '../router.ts'
import { client } from '../session.ts'
import { useStore } from '../state.ts'

/** Not more, because Hono compares long lists of elements slowly. */
const pageLimit = 100

/** The filters in the address that the board knows. */
function readFilters({ site, status, q, cursor }: Query) {
  return {
    limit: pageLimit,
    sort: 'id' as const,
    ...(site && { site_id: Number(site) }),
    ...(status && { status: status as BoardMachine['status'] }), // the API refuses a wrong one, and the page says so
    ...(q?.trim() && { q: q.trim() }),
    ...(cursor && { cursor }),
  }
}

export function BoardScreen() {
  const { query } = useStore(route)
  const filters = readFilters(query)
  const board = useResource(JSON.stringify(filters), () => client.ask('listBoard', { query: filters }), 'all')
  const items = board.value?.items
  return (
    <Screen
      title={text('board_title')}
      actions={
        <>
          <DataAge at={board.readAt} />
          <a class="button" href={toHash('newMachine')}>
            <Icon name="plus" />
            <span>{text('new_machine')}</span>
          </a>
        </>
      }
    >
      <BoardFilters query={query} />
      {items !== undefined && <ReadProblem error={board.error} onRetry={board.reload} />}
      {items === undefined && board.error !== undefined && <Problem error={board.error} onRetry={board.reload} />}
      {items === undefined && board.error === undefined && <Skeleton kind="card" count={6} />}
      {items?.length === 0 && <NoMachines query={query} />}
      {items && items.length > 0 && <Cards items={items} />}
      <Pager query={query} next={board.value?.next_cursor ?? null} />
    </Screen>
  )
}

function Cards({ items }: { items: BoardMachine[] }) {
  return (
    <ul class="cards">
      {items.map((machine) => (
        <MachineCard key={machine.id} machine={machine} />
      ))}
    </ul>
  )
}

function NoMachines({ query }: { query: Query }) {
  const isFiltered = Object.values(query).some((value) => value !== '')
  if (!isFiltered) {
    return (
      <Empty title={text('no_machines_title')} detail={text('no_machines_detail')}>
        <a class="button is-primary" href={toHash('newMachine')}>
          {text('new_machine')}
        </a>
      </Empty>
    )
  }
  return (
    <Empty title={text('no_matches_title')} detail={text('no_matches_detail')}>
      <button type="button" class="button" onClick={() => replaceQuery({})}>
        {text('clear_filters')}
      </button>
    </Empty>
  )
}

function Pager({ query, next }: { query: Query; next: string | null }) {
  const { cursor = '', ...filters } = query
  if (cursor === '' && next === null) return null
  return (
    <nav class="pager" aria-label={text('next_page')}>
      {cursor !== '' && (
        <a class="button" href={toHash('board', { query: filters })}>
          {text('first_page')}
        </a>
      )}
      {next !== null && (
        <a class="button" href={toHash('board', { query: { ...filters, cursor: next } })}>
          {text('next_page')}
        </a>
      )}
    </nav>
  )
}
