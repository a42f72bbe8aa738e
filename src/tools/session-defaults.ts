// The defaults of a session in a database: reads those that differ from what our statements rely on, and sets them. Each
// request sets what it needs itself (infra/settings.ts); these defaults also hold for what it cannot set: a single
// statement has no timeout of its own.
import { sessionDefaults } from '../infra/settings.ts'
import { withMigrationLock } from './migration-lock.ts'
import { type DatabaseAddress, runAlone } from './statements.ts'

export type Difference = { name: string; value: string; expected: string }

/** @throws DatabaseError */
export async function findDifferences(
  address: DatabaseAddress,
  wanted: Readonly<Record<string, string>> = sessionDefaults,
): Promise<Difference[]> {
  const values = Object.keys(wanted).map((name) => `current_setting('${name}') AS "${name}"`)
  const [row = {}] = await runAlone(address, `SELECT ${values.join(', ')}`)
  return Object.entries(wanted).flatMap(([name, expected]) => {
    const value = String(row[name])
    return isEqual(name, value, expected) ? [] : [{ name, value, expected }]
  })
}

function isEqual(name: string, value: string, expected: string): boolean {
  // UTC has several names, and only the first part of DateStyle decides how a time is printed.
  if (name === 'TimeZone') return ['UTC', 'GMT', 'Etc/UTC', 'Etc/GMT', 'Etc/UCT', 'UCT', 'Zulu'].includes(value)
  if (name === 'DateStyle') return value.startsWith('ISO')
  return value === expected
}

/**
 * Sets the defaults that differ, for the role of the connection string in this database. PostgreSQL prefers these to
 * those of the role and of the database. Safe to run several times at once.
 * @returns what was different
 * @throws DatabaseError
 */
export async function setSessionDefaults(address: DatabaseAddress): Promise<Difference[]> {
  if ((await findDifferences(address)).length === 0) return []
  // PostgreSQL refuses two changes of a role at the same time.
  return await withMigrationLock(address, async () => {
    const differences = await findDifferences(address)
    for (const { name, expected } of differences) await setSessionDefault(address, name, expected)
    return differences
  })
}

/** @param value a constant of our code @throws DatabaseError */
export async function setSessionDefault(address: DatabaseAddress, name: string, value: string): Promise<void> {
  // `search_path` is a list of names and not one text.
  const literal = name === 'search_path' ? value : `'${value}'`
  const change = `ALTER ROLE CURRENT_USER IN DATABASE %I SET ${name} = ${literal}`
  const [row] = await runAlone(address, `SELECT format($change$${change}$change$, current_database()) AS change`)
  await runAlone(address, String(row?.change))
}
