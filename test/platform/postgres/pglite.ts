// PGlite as a backend: PostgreSQL compiled to WebAssembly, in this process, with one connection. `pg` talks to it
// over a stream in place of a socket, in the same protocol as to a server.
import { mkdir } from 'node:fs/promises'
import { Duplex } from 'node:stream'
import { PGlite } from '@electric-sql/pglite'
import { isBlank, openBlank } from './blank.ts'
import { createPool, type PostgresBackend } from './session.ts'

const STARTUP = 0x00
const TERMINATE = 'X'.charCodeAt(0)

/** AuthenticationOk, then ReadyForQuery, idle: the answer to a StartupMessage. */
const WELCOME = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49])

/** PostgreSQL fills its buffers with zeros when it starts, and its default of 128 MB takes longer than the rest. */
const sharedBuffers = '32MB'

/** One statement that sets the stored defaults, or NULL. Those of the role in this database come last, because they win. */
const STORED_DEFAULTS = `
  SELECT 'SELECT ' || string_agg(
    format('set_config(%L, %L, false)', split_part(setting, '=', 1), substr(setting, strpos(setting, '=') + 1)), ', '
    ORDER BY setdatabase <> 0 AND setrole <> 0, setrole <> 0)
  FROM pg_db_role_setting, unnest(setconfig) AS setting
  WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
    AND setrole IN (0, current_user::regrole)`

/** Passes messages to PGlite and its answers back. It has the methods that `pg` calls on a socket. */
class PgliteSocket extends Duplex {
  readonly #db: PGlite

  constructor(db: PGlite) {
    super()
    this.#db = db
  }

  connect(): this {
    process.nextTick(() => this.emit('connect'))
    return this
  }

  setNoDelay(): this {
    return this
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#exchange(chunk).then(() => done(), done)
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#exchange(Buffer.concat(chunks.map(({ chunk }) => chunk))).then(() => done(), done)
  }

  override _final(done: () => void): void {
    this.push(null)
    done()
  }

  async #exchange(messages: Buffer): Promise<void> {
    if (messages[0] === STARTUP) this.push(WELCOME)
    else if (messages[0] !== TERMINATE) {
      const answers: Buffer[] = []
      // Copies, because PGlite passes its own memory, which it overwrites.
      await this.#db.execProtocolRawStream(messages, {
        onRawData: (bytes) => answers.push(Buffer.from(bytes)),
      })
      if (!this.destroyed) this.push(Buffer.concat(answers))
    }
  }
}

/**
 * Starts PGlite.
 * @param dataDir its data folder, created if missing; undefined: in memory
 * @param snapshot the result of an earlier `dump()`; the data folder must then be empty
 */
export async function openPglite(dataDir: string | undefined, snapshot: Blob | undefined): Promise<PostgresBackend> {
  if (dataDir !== undefined) await mkdir(dataDir, { recursive: true })
  const contents = snapshot ?? ((await isBlank(dataDir)) ? await openBlank() : undefined)
  const db = await PGlite.create({
    startParams: [...PGlite.defaultStartParams, '-c', `shared_buffers=${sharedBuffers}`],
    ...(dataDir === undefined ? {} : { dataDir }),
    ...(contents === undefined ? {} : { loadDataDir: contents }),
  })
  // One permanent connection: requests wait for it in order.
  const pool = createPool({
    max: 1,
    idleTimeoutMillis: 0,
    ssl: false,
    stream: () => new PgliteSocket(db),
  })
  // Its only session never ends, so what a server does at the start of a session is done before each request.
  let defaults: string | null | undefined
  return {
    pool,
    database: 'tiebar',
    // A running statement blocks this process until its end, so it cannot be cancelled. The session does not start a
    // statement whose client has disconnected.
    cancel: async () => {},
    renewDefaults: () => {
      defaults = undefined
    },
    applyDefaults: async (client) => {
      if (defaults === undefined) {
        const { rows } = await client.query<[string | null]>({ text: STORED_DEFAULTS, rowMode: 'array' })
        defaults = rows[0]?.[0] ?? null
      }
      if (defaults !== null) await client.query(defaults)
      return true
    },
    dump: async () => {
      const client = await pool.connect()
      try {
        await client.query('CHECKPOINT')
        return await db.dumpDataDir('none')
      } finally {
        client.release()
      }
    },
    close: async () => {
      await pool.end()
      await db.close()
    },
  }
}
