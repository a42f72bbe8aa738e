// Pagination over HTTP: reads the cursor of a request, and answers with `next_cursor` and a Link header (RFC 8288).
import { TiebarError } from '../../kernel/error.ts'
import { cutPage, decodeCursor, type Page } from '../../kernel/page.ts'
import type { AppContext } from '../context.ts'
import type { Order, Sorted, SortedPage, Sorts } from './store.ts'

/**
 * Reads which page a request asks for.
 * @throws TiebarError `validation_failed` for a cursor of another list or another sort order
 */
export function readPage<Name extends string>(
  sorts: Sorts<Name>,
  { sort, limit, cursor }: { sort: Order<Name>; limit: number; cursor?: string | undefined },
): SortedPage {
  if (cursor === undefined) return sorts.page(sort, limit)
  const after = decodeCursor(cursor, sort)
  if (after && sorts.accepts(sort, after)) return sorts.page(sort, limit, after)
  throw unknownCursor()
}

/** Makes a page from the rows of a statement. If there is a next page, `rows` has one row more than the page shows. */
export function toPage<Row extends object, Item>(
  { order, limit, key }: SortedPage,
  rows: Sorted<Row>[],
  toItem: (row: Row) => Item,
): Page<Item> {
  return cutPage(rows, limit, toItem, (row) => {
    const value = row.sort_value
    // Not the column of the row where the list is sorted by it: a time has another text there. `defineSorts` checks that
    // the column belongs to the row.
    const id = order.replace('-', '') === key ? value : String(row[key as keyof typeof row])
    return { sort: order, value, id }
  })
}

function unknownCursor(): TiebarError {
  return new TiebarError(
    'validation_failed',
    'The cursor is not valid for this list and sort order. Start without a cursor.',
    {
      errors: [{ parameter: 'cursor', detail: 'must be the next_cursor of a page of this list in this order' }],
    },
  )
}

/** Answers 200 with the page, and with a Link header if there is a next page. */
export function answerPage<Item extends object>(c: AppContext, page: Page<Item>) {
  linkToNext(c, page)
  return c.json(page, 200)
}

/** Sets the Link header if there is a next page. */
export function linkToNext(c: AppContext, page: Page<unknown>): void {
  if (page.next_cursor === null) return
  const next = new URL(c.req.url)
  next.searchParams.set('cursor', page.next_cursor)
  c.header('Link', `<${next.pathname}${next.search}>; rel="next"`)
}
