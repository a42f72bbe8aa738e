// Iterates over the items of a list, which the API answers page by page.
import type * as api from './api.ts'

export type Page<Item> = { items: Item[]; next_cursor: string | null }

export type Listing<Item> = AsyncIterable<Item> & {
  /** The pages, each fetched when the iteration reaches it. */
  pages(): AsyncIterable<Page<Item>>
}

export function walk<Item>(read: (cursor: { cursor?: string }) => Promise<Page<Item>>): Listing<Item> {
  async function* pages() {
    let page = await read({})
    yield page
    while (page.next_cursor !== null) {
      page = await read({ cursor: page.next_cursor })
      yield page
    }
  }
  return {
    pages,
    async *[Symbol.asyncIterator]() {
      for await (const { items } of pages()) yield* items
    },
  }
}

/** The query of a list without the cursor, which the client sets. */
export type Query<Name extends ListName> = Omit<api.Operations[Name]['query'], 'cursor'>
type ListName =
  | 'listMachines'
  | 'listMachineJobs'
  | 'listMachineStatuses'
  | 'listMyJobs'
  | 'listAccounts'
  | 'listKeys'
  | 'listSites'
  | 'listBoard'
