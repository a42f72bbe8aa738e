// The typed client in a page of another origin: the CORS headers are sufficient in a real browser.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startWorld, type World } from '../harness.ts'
import { type Browser, findChromium, startBrowser } from './chromium.ts'

const root = join(import.meta.dirname, '../..')

let site: Server
let origin: string
let world: World
let browser: Browser
beforeAll(async () => {
  findChromium()
  await promisify(execFile)(join(root, 'node_modules/.bin/tsc'), ['-p', join(root, 'src/client')])
  site = createServer(async ({ url = '/' }, response) => {
    const name = /^\/(\w+\.js)$/.exec(url)?.[1]
    const body = name === undefined ? '<!doctype html>' : await readFile(join(root, 'dist/client', name))
    response.writeHead(200, { 'Content-Type': name === undefined ? 'text/html' : 'text/javascript' }).end(body)
  }).listen(0, '127.0.0.1')
  await once(site, 'listening')
  origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}` // it listens on TCP
  world = await startWorld({ vars: { ALLOWED_ORIGINS: origin } })
  browser = await startBrowser()
})
afterAll(async () => {
  await browser?.close()
  await world?.close()
  site?.close()
})

test('a page of another origin logs in, starts a machine and reads ETags and problems', async () => {
  const { username, password, ...owner } = await world.signUp()
  const machine = await world.createMachine({ username, password, ...owner })
  const page = await browser.context.newPage()
  await page.goto(origin)
  const seen = await page.evaluate(`(async () => {
    const { createClient } = await import('/client.js')
    const client = createClient({ baseUrl: ${JSON.stringify(world.url)} })
    await client.logIn(${JSON.stringify({ username, password })})
    const { etag } = await client.machines.read(${machine.id})
    const job = await client.machines.start(${machine.id}).done({ everySeconds: 0.05 })
    const names = []
    for await (const { name } of client.machines.list({ owner_id: 'me' })) names.push(name)
    const { code } = await client.machines.change(${machine.id}, { name: 'N' }, { ifMatch: etag }).catch((error) => error)
    await client.logOut()
    return { etag, state: job.state, names, code }
  })()`)
  // The machine is RUNNING by then, so the ETag from before is stale.
  expect(seen).toEqual({ etag: machine.etag, state: 'SUCCEEDED', names: ['Machine'], code: 'precondition_failed' })
})
