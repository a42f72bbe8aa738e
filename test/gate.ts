// A gate in front of an upstream: it lets calls through, refuses them, loses their answers, and shows what was sent.
import { startWorld, type World, type WorldOptions } from './harness.ts'
import { type StandInAnswer, type StandInRequest, startHttpServer } from './platform/http.ts'

/** What happens to one call; `forward` carries it to the upstream and gives its answer. */
export type Passage = (request: StandInRequest, forward: () => Promise<StandInAnswer>) => Promise<StandInAnswer>

export type Gate = {
  url: string
  /** Every call that came to the gate, oldest first. */
  requests: StandInRequest[]
  /** Open until told otherwise. */
  pass: Passage
  close(): Promise<void>
}

export const open: Passage = (_request, forward) => forward()
/** The upstream never sees the call. */
export const shut: Passage = async () => ({ cut: true })
/** Nothing is answered for as long as the Worker waits. */
export const hang: Passage = ({ signal }) =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve({ cut: true })))
/** The upstream does what it was asked, but its answer is lost. */
export const loseAnswer: Passage = async (_request, forward) => {
  await forward()
  return { cut: true }
}

// They belong to one connection, and there are two.
const ofConnection = ['connection', 'content-encoding', 'content-length', 'host', 'keep-alive', 'transfer-encoding']

async function startGate(upstreamUrl: string): Promise<Gate> {
  const requests: StandInRequest[] = []
  const server = await startHttpServer('gate', (request) => {
    requests.push(request)
    return gate.pass(request, () => forward(upstreamUrl, request))
  })
  const gate: Gate = { url: server.url, requests, pass: open, close: server.close }
  return gate
}

async function forward(upstreamUrl: string, { method, target, headers, body }: StandInRequest): Promise<StandInAnswer> {
  const passed = Object.entries(headers).filter(([name]) => !ofConnection.includes(name))
  const response = await fetch(new URL(target, upstreamUrl), {
    method,
    headers: Object.fromEntries(passed.map(([name, value]) => [name, String(value)])),
    ...(body.length > 0 && { body: new Uint8Array(body) }),
  })
  const answered = [...response.headers].filter(([name]) => !ofConnection.includes(name))
  return {
    status: response.status,
    headers: Object.fromEntries(answered),
    body: Buffer.from(await response.arrayBuffer()),
  }
}

export type GatedWorld = World & { gates: { postgres: Gate; redis: Gate; qstash: Gate } }

/** A world in which each upstream can be taken away and given back. */
export async function startGatedWorld(options: WorldOptions = {}): Promise<GatedWorld> {
  const world = await startWorld(options)
  const [postgres, redis, qstash] = await Promise.all(
    [new URL(world.postgres.fetchEndpoint).origin, world.redis.url, world.qstash.url].map(startGate),
  )
  if (!postgres || !redis || !qstash) throw new TypeError('three gates were asked for')
  await world.reconfigure({
    NEON_FETCH_ENDPOINT: `${postgres.url}/sql`,
    UPSTASH_REDIS_REST_URL: redis.url,
    QSTASH_URL: qstash.url,
  })
  const gates = { postgres, redis, qstash }
  return {
    ...world,
    gates,
    async close() {
      await world.close()
      await Promise.all(Object.values(gates).map((gate) => gate.close()))
    },
  }
}
