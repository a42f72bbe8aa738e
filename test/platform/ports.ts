// The API's port: the requested one, or the first free one from the default on. It is held until it is used, so that two runs
// that start at the same time do not choose the same port.
import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'
import { PlatformError } from './platform-error.ts'

export type HeldPort = { port: number; release(): Promise<void> }

export const defaultPort = 8787
const portsTried = 100
const lastPort = 65_535

/** Parses PORT; empty counts as not set. @throws PlatformError for anything but a port */
export function readPort(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined
  const port = Number(text)
  if (/^\d{1,5}$/.test(text) && port <= lastPort) return port
  throw new PlatformError(`PORT must be a number from 0 to ${lastPort}; 0 takes any free port.`)
}

/**
 * Holds the requested port (0 is any free one), or the first free port from 8787 on.
 * @throws PlatformError if the requested port cannot be used
 */
export async function holdPort(requested?: number): Promise<HeldPort> {
  if (requested === 0) return await holdAny()
  if (requested !== undefined) {
    return await listen(requested).catch((error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'is in use' : `cannot be used (${error.code ?? error.message})`
      throw new PlatformError(
        `port ${requested} ${why}. Choose another with PORT=, or leave PORT out for the next free one.`,
      )
    })
  }
  for (let port = defaultPort; port < defaultPort + portsTried; port++) {
    const held = await listen(port).catch(() => undefined)
    if (held !== undefined) return held
  }
  throw new PlatformError(
    `no port from ${defaultPort} to ${defaultPort + portsTried - 1} is free. Choose one with PORT=.`,
  )
}

/** Below the ephemeral ports of outgoing connections, which could take the port when it is released. */
const anyPorts = { first: 20_000, last: 32_000 }

async function holdAny(): Promise<HeldPort> {
  const { first, last } = anyPorts
  for (let tried = 0; tried < portsTried; tried++) {
    const held = await listen(randomInt(first, last + 1)).catch(() => undefined)
    if (held !== undefined) return held
  }
  throw new PlatformError(`no free port was found from ${first} to ${last}. Choose one with PORT=.`)
}

function listen(port: number): Promise<HeldPort> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', reject)
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = server.address()
      if (address === null || typeof address === 'string') throw new TypeError('a TCP server has a port')
      resolve({ port: address.port, release: () => new Promise((done) => server.close(() => done())) })
    })
  })
}
