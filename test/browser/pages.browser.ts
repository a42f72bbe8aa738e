// The console, Swagger UI and ReDoc in a real browser: they show the document, load nothing from other servers, and work.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { document } from '../contract/openapi-assertion.ts'
import { startWorld, type World } from '../harness.ts'
import { type Browser, findChromium, startBrowser } from './chromium.ts'

const screenshots = join(import.meta.dirname, '../../dist/screenshots')

let world: World
let browser: Browser
beforeAll(async () => {
  findChromium() // first: without Chromium nothing needs to start
  await mkdir(screenshots, { recursive: true })
  world = await startWorld()
  browser = await startBrowser()
})
afterAll(async () => {
  await browser?.close()
  await world?.close()
})

type Watched = { page: Page; requests: string[]; complaints: string[] }

/** A page, every request that it makes, and its errors and warnings. */
async function open(path: string): Promise<Watched> {
  const page = await browser.context.newPage()
  const watched: Watched = { page, requests: [], complaints: [] }
  page.on('request', (request) => watched.requests.push(request.url()))
  page.on('requestfailed', (request) => watched.complaints.push(`${request.url()} ${request.failure()?.errorText}`))
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) watched.complaints.push(message.text())
  })
  page.on('pageerror', (error) => watched.complaints.push(String(error)))
  await page.goto(`${world.url}${path}`)
  return watched
}

function expectInOrder({ requests, complaints }: Watched): void {
  expect(complaints).toEqual([])
  const outside = requests.filter((url) => !/^(data|blob):/.test(url) && new URL(url).origin !== world.url)
  expect(outside).toEqual([])
}

test('a user can log in, register a machine and START it in Swagger UI', async () => {
  const person = await world.signUp()
  const machine = world.controller.machine('browser')
  const watched = await open('/api/swagger')
  const { page } = watched
  await page.locator('.opblock').first().waitFor()
  const count = Object.values(document.paths).flatMap((item) => Object.keys(item)).length
  expect(await page.locator('#swagger-ui .opblock:not(.opblock-deprecated)').count()).toBeGreaterThanOrEqual(count)
  await page.screenshot({ path: join(screenshots, 'swagger.png') })

  await page.getByRole('button', { name: 'Authorize' }).first().click()
  const bearer = page.locator('.auth-container', { hasText: 'bearer' }).filter({ hasText: 'access' }).first()
  await bearer.locator('input').fill(person.access)
  await bearer.getByRole('button', { name: 'Apply credentials' }).click()
  await page.getByRole('button', { name: 'Close' }).first().click()

  const body = { name: 'Browser', location: 'Hall 7', controller_url: machine.url }
  const created = await run(page, 'createMachine', body)
  expect(created).toMatchObject({ status: 201, body: { name: 'Browser', owner_id: person.id, status: 'READY' } })
  const job = await run(page, 'operateMachine', { command: 'START' }, { id: String(created.body.id) })
  expect(job).toMatchObject({ status: 202, body: { command: 'START', machine_id: created.body.id } })
  await page.screenshot({ path: join(screenshots, 'swagger-start.png') })
  await world.waitForJob(person, String(job.body.id), 'SUCCEEDED', 'PENDING')
  expectInOrder(watched)
})

/** Fills in an operation, executes it, and returns what the page shows. */
async function run(page: Page, operationId: string, body: object, parameters: Record<string, string> = {}) {
  const block = page.locator(`.opblock[id$="-${operationId}"]`)
  await block.locator('.opblock-summary-control').click()
  await block.locator('.body-param__text').fill(JSON.stringify(body))
  for (const [name, value] of Object.entries(parameters)) {
    await block.locator(`tr[data-param-name="${name}"][data-param-in="path"] input`).fill(value)
  }
  const answered = page.waitForResponse((response) => response.request().method() === 'POST')
  await block.getByRole('button', { name: 'Execute' }).click()
  const response = await answered
  const shown = block.locator('.live-responses-table .response-col_status').last()
  await shown.waitFor()
  expect(await shown.textContent()).toContain(String(response.status()))
  const answer = (await response.json()) as Record<string, unknown> // every answer to these is an object
  return { status: response.status(), body: answer }
}

describe('the Authorize dialog', () => {
  let watched: Watched
  beforeAll(async () => {
    watched = await open('/api/swagger')
    await watched.page.locator('.opblock').first().waitFor()
  })

  test.each([
    ['a phone', { width: 390, height: 844 }],
    ['a phone in landscape orientation', { width: 844, height: 390 }],
    ['the smallest phone', { width: 320, height: 568 }],
    ['a desk', { width: 1280, height: 900 }],
  ])('is completely visible on %s, and its first field is the token of a person', async (name, size) => {
    const { page } = watched
    await page.setViewportSize(size)
    await page.getByRole('button', { name: 'Authorize' }).first().click()
    const dialog = page.locator('.modal-ux')
    await dialog.waitFor()
    await page.screenshot({ path: join(screenshots, `swagger-authorize-${name.replaceAll(' ', '-')}.png`) })
    const field = page.locator('.auth-container input:focus')
    const first = page.locator('.auth-container').first()
    expect(await first.locator('h4').textContent()).toContain('bearer')
    expect(await first.locator('input:focus').count()).toBe(1)
    const close = dialog.getByRole('button', { name: 'Close', exact: true }).first()
    for (const part of [dialog, close, field]) {
      const box = (await part.boundingBox()) ?? { x: -1, y: -1, width: 0, height: 0 }
      expect(Math.min(box.x, box.y)).toBeGreaterThanOrEqual(0)
      expect(box.x + box.width).toBeLessThanOrEqual(size.width)
      expect(box.y + box.height).toBeLessThanOrEqual(size.height)
    }
    const wider = await dialog.evaluate(
      (element) =>
        [element, ...element.querySelectorAll('*')].filter((each) => each.scrollWidth > each.clientWidth + 1).length,
    )
    expect(wider).toBe(0)
    await close.click()
    await dialog.waitFor({ state: 'detached' })
    expectInOrder(watched)
  })
})

test('ReDoc shows every operation', async () => {
  const watched = await open('/api/docs/')
  const { page } = watched
  await page
    .getByRole('heading', { name: /Tiebar/ })
    .first()
    .waitFor()
  for (const operation of Object.values(document.paths).flatMap((item) => Object.values(item))) {
    await page.locator(`[id$="/operation/${operation.operationId}"]`).first().waitFor({ state: 'attached' })
  }
  await page
    .locator('[id$="/operation/sendCommand"], [id$="/paths/command/post"]')
    .first()
    .waitFor({ state: 'attached' })
  await page.screenshot({ path: join(screenshots, 'redoc.png') })
  await page.getByRole('textbox', { name: 'Search' }).fill('cancel')
  await page.locator('[data-role="search:results"]').waitFor()
  expectInOrder(watched)
})

test('the console starts, with one script and one stylesheet', async () => {
  const watched = await open('/')
  const { page } = watched
  await page.getByRole('heading', { level: 1 }).first().waitFor()
  // Before the screenshot, for which Playwright hides the caret by a style.
  const styled = await page
    .locator('style, [style]')
    .evaluateAll((all) => all.map((each) => each.outerHTML.slice(0, 200)))
  expect(styled).toEqual([])
  await page.screenshot({ path: join(screenshots, 'console.png') })
  const files = watched.requests.filter((url) => new URL(url).pathname.startsWith('/console/main-'))
  expect(files.map((url) => url.replace(/.*\./, '')).toSorted()).toEqual(['css', 'js'])
  expectInOrder(watched)
})

test('the page of a problem is readable', async () => {
  const watched = await open('/api/problems/job_open')
  expect(await watched.page.locator('h1').textContent()).toBe('A job of the machine is still open')
  // The content security policy of the page allows its style.
  expect((await watched.page.locator('body').boundingBox())?.width).toBeLessThan(1_000)
  await watched.page.screenshot({ path: join(screenshots, 'problem.png') })
  const favicon = (text: string) => text.includes('favicon.ico') || text.includes('404')
  watched.complaints = watched.complaints.filter((text) => !favicon(text))
  expectInOrder(watched)
})
