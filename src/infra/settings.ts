// The settings of a PostgreSQL session that our statements rely on. A database or a role can have other defaults, and Neon
// drops the startup options of a connection string when SQL is sent over HTTP (proxy/src/serverless/backend.rs). So each
// request sets what it relies on itself, for its own transaction only.

type Settings = Readonly<Record<string, string>>

/** The text of a time depends on these. */
const output: Settings = { TimeZone: 'UTC', DateStyle: 'ISO, MDY' }

/**
 * The session defaults that a database should have, as `SHOW` prints them. `npm run db:migrate` sets them for its role
 * and `npm run doctor` checks them. `statement_timeout` is a little more than the deadline of the Worker (8 s), which
 * cancels its statements itself.
 */
export const sessionDefaults: Settings = {
  ...output,
  IntervalStyle: 'postgres',
  standard_conforming_strings: 'on',
  search_path: '"$user", public',
  default_transaction_isolation: 'read committed',
  default_transaction_read_only: 'off',
  statement_timeout: '10s',
  // PostgreSQL compiles a statement that it expects to be slow, which takes up to a second. Ours take milliseconds, and its
  // estimate is sometimes too high.
  jit: 'off',
}

/** @param settings constants of our code: they are not escaped */
function setLocally(settings: Settings): string {
  return Object.entries(settings)
    .map(([name, value]) => `set_config('${name}', '${value}', true)`)
    .join(' || ')
}

/**
 * An SQL expression. A statement selects it in the row on which all its other rows depend; its times are then in UTC. Such a
 * statement needs no other statement before it, and so no transaction of several statements.
 */
export const outputSettings: string = setLocally(output)

/**
 * A table of one row with this expression. A statement that does not begin with the caller can join it, unless it changes a
 * row that many requests may change at once: a statement that is sent alone has the isolation level of the database, which
 * can be too strict.
 */
export const outputSettingsRow: string = `(SELECT ${outputSettings} AS output) settings`

/**
 * A table of one row. If a statement joins it, the commit of its transaction does not wait until the change is on disk: if
 * the server crashes, the changes of the last fraction of a second may be lost, each as a whole. For changes that are made
 * again if they are lost. https://www.postgresql.org/docs/current/wal-async-commit.html
 */
export const asynchronousCommitRow: string = `(SELECT set_config('synchronous_commit', 'off', true)) asynchronous_commit`

/** Whether a statement sets by itself what its output depends on. */
export function setsOutput(text: string): boolean {
  return text.includes(outputSettings)
}

/** The first statement of a transaction. It holds until the end of the transaction. */
export function settingsStatement(timeouts: { statement_timeout: string }): string {
  const { IntervalStyle = '', standard_conforming_strings = '', jit = '' } = sessionDefaults
  return `SELECT ${setLocally({ ...output, IntervalStyle, standard_conforming_strings, jit, ...timeouts })} AS settings`
}
