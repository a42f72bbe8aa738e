// A list of rows that a panel reads by itself: its place is kept until the rows are there, and "none" is said only when it is true.
import type { Resource } from '../resource.ts'
import { Problem } from './problem.tsx'
import { Skeleton } from './screen.tsx'

type Props<Item> = {
  resource: Pick<Resource<unknown>, 'error' | 'reload'>
  /** Undefined until they are read. */
  items: Item[] | undefined
  /** What is said when there are none, where that can be. */
  empty?: string
  row: (item: Item) => unknown
}

export function ResourceRows<Item>({ resource, items, empty, row }: Props<Item>) {
  const { error, reload } = resource
  return (
    <div class="resource-rows">
      {error !== undefined && <Problem error={error} onRetry={reload} />}
      {!items && error === undefined && <Skeleton kind="row" />}
      {empty && items?.length === 0 && <p class="row">{empty}</p>}
      {items && items.length > 0 && <ul class="rows">{items.map(row)}</ul>}
    </div>
  )
}
