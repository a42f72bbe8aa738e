// The filters of the board. They are part of the address.
import { useRef } from 'hono/jsx/dom'
import type { Query } from '../address.ts'
import { text } from '../language.ts'
import { replaceQuery } from '../router.ts'
import { useSites } from '../sites.ts'
import { statuses } from '../status.ts'
import { Select } from './form.tsx'

const typingPauseMs = 300

export function BoardFilters({ query }: { query: Query }) {
  const sites = useSites()
  const timer = useRef<ReturnType<typeof setTimeout>>(null)
  const change = (part: Query) => {
    const { cursor: _, ...rest } = query // other filters begin at the first page
    replaceQuery({ ...rest, ...part })
  }
  const search = (event: Event) => {
    const { value } = event.currentTarget as HTMLInputElement
    if (timer.current !== null) clearTimeout(timer.current)
    timer.current = setTimeout(() => change({ q: value }), typingPauseMs)
  }
  const siteOptions = [
    { value: '', label: text('all_sites') },
    ...(sites.value?.items ?? []).map(({ id, name }) => ({ value: String(id), label: name })),
  ]
  const statusOptions = [
    { value: '', label: text('all_statuses') },
    ...statuses.map((status) => ({ value: status, label: text(`status_${status}`) })),
  ]
  return (
    <search class="filters" aria-label={text('filter')}>
      <div class="field is-wide">
        <label for="board-search">{text('filter_text')}</label>
        <input id="board-search" class="input" type="search" value={query.q ?? ''} onInput={search} />
      </div>
      <Select
        name="site"
        label={text('filter_site')}
        options={siteOptions}
        value={query.site ?? ''}
        onPick={(site) => change({ site })}
      />
      <Select
        name="status"
        label={text('filter_status')}
        options={statusOptions}
        value={query.status ?? ''}
        onPick={(status) => change({ status })}
      />
    </search>
  )
}
