// The baseline of the measurements: verifies the same token, sends the same statements through the vendors' drivers,
// signs the same tokens and answers JSON. It has no router, no validation, no limits and no log.

import { env } from 'cloudflare:workers'
import { createHash } from 'node:crypto'
import { neon, neonConfig } from '@neondatabase/serverless'
import { Client } from '@upstash/qstash'
import { Redis } from '@upstash/redis/cloudflare'
import { importJWK, type JWTPayload, jwtVerify, SignJWT } from 'jose'
import { feedChannel } from '../../src/infra/redis.ts'
import type { Statement } from '../../src/infra/sql-client.ts'
import { hashInPlan, idInPlan, newIdInPlan, type Plan } from './plan.ts'

const vars = env as unknown as Record<string, string> // text bindings alone
const text = (name: string) => vars[name] ?? ''
const plans: Record<string, Plan> = JSON.parse(vars.PLANS ?? '{}')
const [jwk] = JSON.parse(vars.JWT_KEYS ?? '[{}]')
const key = importJWK({ kty: jwk?.kty, crv: jwk?.crv, x: jwk?.x }, 'EdDSA')
const privateKey = importJWK(jwk, 'EdDSA')
neonConfig.fetchEndpoint = text('NEON_FETCH_ENDPOINT')
const sql = neon(text('DATABASE_URL'))
const redis = new Redis({
  url: text('UPSTASH_REDIS_REST_URL'),
  token: text('UPSTASH_REDIS_REST_TOKEN'),
  automaticDeserialization: false,
  enableTelemetry: false,
})
const queue = new Client({ baseUrl: text('QSTASH_URL'), token: text('QSTASH_TOKEN'), enableTelemetry: false })

const feedEntry = JSON.stringify({
  machine_id: 1,
  revision: null,
  owner_id: 1,
  site_ids: [null],
  job: { id: '00000000-0000-7000-8000-000000000000', version: 1, requested_by: 1 },
})

/** The statements of a plan with the ids of this request. */
function fill(statements: Statement[], id: string, newId: string, hash = '') {
  const bind = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(bind)
    if (value === hashInPlan) return hash
    if (value === newIdInPlan) return newId
    // Reports are a parameter in JSON.
    return typeof value === 'string' || value === idInPlan ? String(value).replace(String(idInPlan), id) : value
  }
  return statements.map((each) => sql.query(each.query, each.params?.map(bind)))
}

async function query(plan: Plan, id: string, newId: string, hash: string) {
  if (plan.first) await Promise.all(fill([plan.first], id, newId, hash))
  const queries = fill(plan.statements, id, newId, hash)
  return plan.isTransaction
    ? (await sql.transaction(queries, { isolationLevel: 'ReadCommitted' })).at(-1)
    : await queries[0]
}

async function sign(claims: JWTPayload, seconds: number): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'EdDSA', kid: jwk?.kid, typ: 'JWT' })
    .setIssuer(text('ISSUER'))
    .setAudience('api')
    .setIssuedAt()
    .setExpirationTime(Math.floor(Date.now() / 1000) + seconds)
    .sign(await privateKey)
}

/** New tokens of the same session, with a new id in the refresh token. */
async function signPair({ sub = '', sid }: JWTPayload, refreshId: string) {
  const [access, refresh] = await Promise.all([
    sign({ sub, sid, jti: crypto.randomUUID(), token_type: 'access' }, 30 * 60),
    sign({ sub, sid, jti: refreshId, token_type: 'refresh' }, 24 * 60 * 60),
  ])
  return { token: { access, refresh } }
}

export default {
  async fetch(request, _env, context): Promise<Response> {
    const [, name = '', id = ''] = new URL(request.url).pathname.split('/')
    const plan = plans[name]
    if (!plan) return Response.json({ up: true })
    const token = (request.headers.get('Authorization') ?? '').slice('Bearer '.length)
    const hash = plan.takesKey ? createHash('sha256').update(token).digest('hex') : ''
    const { payload } = plan.takesKey
      ? { payload: {} }
      : await jwtVerify(token, await key, { issuer: text('ISSUER'), audience: 'api' })
    if (request.method !== 'GET') await request.json()
    if (plan.keys) {
      const [job] = await redis.mget<(string | null)[]>(plan.keys)
      return Response.json(JSON.parse(job ?? 'null'))
    }
    const newId = crypto.randomUUID()
    const rows = await query(plan, id, newId, hash)
    const signed = Array.from({ length: plan.signedTokens ?? 0 }, () => sign({ sub: newId, machine: id }, 60))
    if (signed.length > 0) return Response.json({ rows, tokens: await Promise.all(signed) })
    if (plan.announced) {
      const { message, script } = plan.announced
      const ids = { body: { job_id: newId }, deduplicationId: `${newId}:1` }
      await Promise.all([
        queue.publishJSON({ ...message, ...ids }),
        redis.eval(script, [feedChannel, `bench:${newId}`], [JSON.stringify(rows), 1, 5, feedEntry]),
      ])
    }
    if (plan.feedScript) context.waitUntil(redis.eval(plan.feedScript, [feedChannel], [feedEntry]))
    return Response.json(plan.signsPair ? await signPair(payload, newId) : rows)
  },
} satisfies ExportedHandler
