// Pages on the wire: a cursor in, `next_cursor` and a Link header (RFC 8288) out.
import { TiebarError } from '../../kernel/error.ts'
import { type Cursor, decodeCursor, type Page } from '../../kernel/page.ts'
import { isTimestamp, toRfc3339 } from '../../kernel/time.ts'
import type { AppContext } from '../context.ts'

const shapes = {
  number: /^\d{1,15}$/,
  /** PostgreSQL's text of a `timestamptz` in UTC. */
  time: /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?\+00$/,
  uuid: /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/,
  /** A name can be any text that PostgreSQL can hold. */
  name: /^[^\0]{1,256}$/u,
}

const isNumber = (value: string) => shapes.number.test(value)
const isTime = (value: string) => shapes.time.test(value) && isTimestamp(toRfc3339(value))

/** Whether PostgreSQL will take a text as the sort value of an order. A cursor is not signed: anybody can write one. */
const valueChecks: Record<string, (value: string) => boolean> = {
  id: isNumber,
  created_at: isTime,
  updated_at: isTime,
  requested_at: isTime,
  date_joined: isTime,
  name: (value) => shapes.name.test(value) && value.isWellFormed(),
}

/**
 * Reads the cursor of a query.
 * @param sort the order that the cursor must have been written for
 * @param column the column of that order
 * @throws TiebarError `validation_failed` for a cursor that this list did not write
 */
export function readCursor(text: string | undefined, sort: string, column: string): Cursor | undefined {
  if (text === undefined) return undefined
  const cursor = decodeCursor(text, sort)
  const idShape = column === 'requested_at' ? shapes.uuid : shapes.number
  if (cursor && valueChecks[column]?.(cursor.value) && idShape.test(cursor.id)) return cursor
  throw new TiebarError('validation_failed', 'The cursor is not one of this list and order. Start without a cursor.', {
    errors: [
      {
        parameter: 'cursor',
        detail: 'must be the next_cursor of a page of this list in this order',
      },
    ],
  })
}

export function answerPage<Item extends object>(c: AppContext, page: Page<Item>) {
  if (page.next_cursor !== null) {
    const next = new URL(c.req.url)
    next.searchParams.set('cursor', page.next_cursor)
    c.header('Link', `<${next.pathname}${next.search}>; rel="next"`)
  }
  return c.json(page, 200)
}
