// Session defaults that a database or a role may have and that change what unprepared statements read and write.
import type { PostgresStandIn } from './postgres.ts'

const oddSettings = {
  TimeZone: 'Asia/Seoul',
  DateStyle: 'SQL, DMY',
  IntervalStyle: 'sql_standard',
  standard_conforming_strings: 'off',
  backslash_quote: 'on',
  bytea_output: 'escape',
  extra_float_digits: '0',
  default_transaction_isolation: 'repeatable read',
}

/** From the next request on, sessions in this database have odd settings, whatever `npm run db:migrate` has set. */
export async function setOddSettings(postgres: PostgresStandIn): Promise<void> {
  await alter(
    postgres,
    Object.entries(oddSettings).map(([name, value]) => `SET ${name} = '${value}'`),
  )
}

/** From the next request on, sessions in this database have the usual settings of the server. */
export async function resetSettings(postgres: PostgresStandIn): Promise<void> {
  await alter(postgres, ['RESET ALL'])
}

async function alter(postgres: PostgresStandIn, changes: string[]): Promise<void> {
  const statements = changes.map(
    (change) => `EXECUTE format($change$ALTER ROLE CURRENT_USER IN DATABASE %I ${change}$change$, current_database());`,
  )
  await postgres.query(`DO $$ BEGIN ${statements.join(' ')} END $$`)
}
