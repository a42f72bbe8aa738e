// What a call would send to the database.
import type { Database } from '../../infra/database.ts'
import { render } from '../../infra/prepare.ts'
import type { NeededRows } from '../../infra/stored.ts'

export type Call = (database: Database) => Promise<unknown>

type Statements = Parameters<Database['batch']>[1]

export type RecordedCall = { name: string; queries: ReturnType<typeof render>[]; needed: NeededRows }

/** The statements of a call, which are not executed. @throws TypeError for a call that sends none */
export async function recordCall(call: Call): Promise<RecordedCall> {
  let recorded: RecordedCall | undefined
  const halt =
    (needed: NeededRows) =>
    async (name: string, statements: Statements): Promise<never> => {
      if (statements.length > 0) recorded = { name, queries: statements.map(render), needed }
      throw new Error('only recorded')
    }
  const batch = halt('last')
  const query: Database['query'] = (name, statement) => batch(name, [statement])
  const ping = () => batch('ping', [])
  await call({ query, batch, batchAll: halt('all'), ping }).catch(() => undefined)
  if (!recorded) throw new TypeError('the call sent no statement')
  return recorded
}
