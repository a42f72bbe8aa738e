// The backends of the bench: PGlite and an in-process Redis, and real servers if they answer.
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Servers } from './platform.ts'

const usual = {
  postgres: 'postgresql://postgres@127.0.0.1:5432/postgres',
  redis: 'redis://127.0.0.1:6379',
}

/** The servers that the environment names, or those at the default ports. */
export async function findServers(): Promise<Servers> {
  const { LOCAL_POSTGRES_URL = usual.postgres, LOCAL_REDIS_URL = usual.redis } = process.env
  const [hasPostgres, hasRedis] = await Promise.all([LOCAL_POSTGRES_URL, LOCAL_REDIS_URL].map(answers))
  return { ...(hasPostgres && { postgres: LOCAL_POSTGRES_URL }), ...(hasRedis && { redis: LOCAL_REDIS_URL }) }
}

async function answers(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port) })
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false // the stand-in is used
  } finally {
    socket.destroy()
  }
}
