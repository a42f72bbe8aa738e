// Installs the functions in drizzle/functions.sql, all in one schema. They belong to the code and not to the data: another
// version of the file replaces all of them. A Worker of another version sends its statements as text meanwhile. Anything else
// in the schema stays: a database may have had a schema of that name before.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { storedSchema } from '../../infra/stored.ts'
import { storedFunctions } from '../../infra/stored-functions.ts'
import { lockTransaction, withMigrationLock } from '../migration-lock.ts'
import { type DatabaseAddress, runStatements } from '../statements.ts'

export const functionsFile = join(import.meta.dirname, '../../../drizzle/functions.sql')
/** Between two functions, as in the migrations of drizzle. */
export const breakpoint = '--> statement-breakpoint\n'
/** The digest that `nameFunction` puts at the end of a name. */
const ownName = '_[0-9a-f]{12}$'

/** Creates the schema, or drops our functions in it. A role that owns the schema need not be allowed to create one. */
const prepareSchema = `DO $$
DECLARE
  own regprocedure;
BEGIN
  IF to_regnamespace('${storedSchema}') IS NULL THEN
    CREATE SCHEMA ${storedSchema};
  END IF;
  FOR own IN SELECT oid FROM pg_proc WHERE pronamespace = '${storedSchema}'::regnamespace AND proname ~ '${ownName}' LOOP
    EXECUTE format('DROP FUNCTION %s', own);
  END LOOP;
END $$`

/**
 * Whether the database has the functions of this checkout. The comment of their schema is the digest of the file, which
 * stays when a function is lost, as by a restore of a part of a dump.
 * @throws DatabaseError
 */
export async function hasFunctions(address: DatabaseAddress): Promise<boolean> {
  const query = `SELECT obj_description(to_regnamespace($1)::oid, 'pg_namespace') AS digest,
    ARRAY(SELECT proname::text FROM pg_proc WHERE pronamespace = to_regnamespace($2)) AS names`
  const [[found] = []] = await runStatements(address, [{ query, params: [storedSchema, storedSchema] }])
  const { digest, names = [] } = (found ?? {}) as { digest?: string | null; names?: string[] } // as the query selects them
  return digest === digestOf(readFunctions()) && [...storedFunctions].every((name) => names.includes(name))
}

/**
 * Safe to repeat, and to run several times at once: the runs wait for each other.
 * @returns how many functions were installed; 0 if the database had them
 * @throws DatabaseError
 */
export async function installFunctions(address: DatabaseAddress): Promise<number> {
  if (await hasFunctions(address)) return 0
  return await withMigrationLock(address, async () => ((await hasFunctions(address)) ? 0 : await replaceAll(address)))
}

async function replaceAll(address: DatabaseAddress): Promise<number> {
  const text = readFunctions()
  const functions = text.split(breakpoint)
  await runStatements(address, [
    lockTransaction,
    { query: prepareSchema },
    // They run with the rights of their caller.
    { query: `GRANT USAGE ON SCHEMA ${storedSchema} TO PUBLIC` },
    { query: `COMMENT ON SCHEMA ${storedSchema} IS '${digestOf(text)}'` },
    ...functions.map((query) => ({ query })),
  ])
  return functions.length
}

function readFunctions(): string {
  return readFileSync(functionsFile, 'utf8')
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
