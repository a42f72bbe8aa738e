// npm run bench: the built Worker on the real runtime beside a bare one, in turns.
import { parseArgs } from 'node:util'
import { buildWorker } from '../build.ts'
import { gzipSize } from '../bundle.ts'
import { buildBare } from './bare-build.ts'
import { startClients } from './clients.ts'
import { type Figures, measure } from './measure.ts'
import { startPlatform } from './platform.ts'
import { planRoutes } from './routes.ts'
import { setScene } from './scene.ts'
import { serve } from './workerd.ts'

const { values } = parseArgs({
  options: {
    json: { type: 'string' },
    html: { type: 'string' },
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
})
const build = await buildWorker()
const date = String(build.options.compatibilityDate)
console.log('bundle', await gzipSize(build))
const bareDir = await buildBare('bare.ts', date)
const { LOCAL_POSTGRES_URL, LOCAL_REDIS_URL } = process.env
const platform = await startPlatform({
  ...(LOCAL_POSTGRES_URL && { postgres: LOCAL_POSTGRES_URL }),
  ...(LOCAL_REDIS_URL && { redis: LOCAL_REDIS_URL }),
})
const ours = await serve(build.dir, date, platform.vars)
const scene = await setScene(platform, ours.origin, 4000)
const routes = await planRoutes(scene)
const plans = JSON.stringify(Object.fromEntries(routes.map(({ name, plan }) => [name, plan])))
const bare = await serve(bareDir, date, (origin) => ({ ...platform.vars(origin), ISSUER: ours.origin, PLANS: plans }))
const clients = startClients()
const pace = values.quick ? { rounds: 5, roundMs: 250 } : { rounds: 5, roundMs: 1000 }
for (const route of routes) {
  if (values.only && !values.only.split(',').includes(route.name)) continue
  const figures: Figures = await measure({ platform, clients, ours, bare }, route, pace)
  console.log(
    route.name,
    JSON.stringify(figures, (_, v) => (typeof v === 'number' ? Math.round(v * 1000) / 1000 : v)),
  )
}
await clients.close()
await ours.close()
await bare.close()
await platform.close()
