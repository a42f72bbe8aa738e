// The operator's day at the console in a real browser, on a phone in Korean and on a desktop in English. The machines report,
// so what the page says of them is what they say.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Person, startWorld, type World } from '../harness.ts'
import { aPullMachine, type Reporter } from '../jobs/reporting.ts'
import { grant } from '../sites/places.ts'
import { type Browser, findChromium, startBrowser } from './chromium.ts'
import { openMachine as openMachineAt, sayIn, signIn as signInAt, type TextName } from './console-pages.ts'
import { fillSignIn, views } from './visit.ts'

const screenshots = join(import.meta.dirname, '../../dist/screenshots')
const openFor = 25_000
/** A read begins every 5 s, and counts as lost after 3 s. */
const shownWithin = 12_000

let world: World
beforeAll(async () => {
  findChromium()
  await mkdir(screenshots, { recursive: true })
  world = await startWorld()
})
afterAll(() => world?.close())

describe.each(views)('in $locale at $viewport.width × $viewport.height', ({ language, locale, viewport }) => {
  const say = sayIn(language)
  let browser: Browser
  let owner: Person
  beforeAll(async () => {
    browser = await startBrowser({ locale, viewport })
    owner = await world.signUp()
  })
  afterAll(() => browser?.close())

  const signIn = (person: Person) => signInAt(browser, world, person)
  const openMachine = (page: Page, machine: { id: number }) => openMachineAt(page, world, machine)
  const saysStatus = (page: Page, key: TextName) =>
    page
      .locator('.machine-status .status-word', { hasText: say(key) })
      .first()
      .waitFor()
  const isQuiet = (page: Page) => page.locator('.start[aria-disabled=false]').waitFor()
  const press = async (page: Page, ms: number) => {
    await page.locator('.start').hover()
    await page.mouse.down()
    await page.waitForTimeout(ms) // how long the button is pressed is the subject of the test
    await page.mouse.up()
  }
  const jobsOf = async (machine: { id: number }) =>
    (await owner.request('GET', `/api/machines/${machine.id}/history`)).body.items

  test('START needs the tick and a press of one second; then the page says what the machine reports; STOP is one tap', async () => {
    const machine = await aPullMachine(world, owner)
    await machine.report({ status: 'READY', interval_seconds: 300 })
    const page = await browser.context.newPage()
    await page.goto(world.url)
    await fillSignIn(page, owner)
    await page.locator(`a[href="#/machines/${machine.id}"]`).first().click()
    await page.locator('.operate').waitFor()
    await saysStatus(page, 'status_READY')
    await page.locator('.check input').check()
    await isQuiet(page)
    await press(page, 200)
    expect(await jobsOf(machine)).toEqual([])
    await page.locator('.check input').uncheck()
    await press(page, 1_300)
    expect(await jobsOf(machine)).toEqual([])

    await page.locator('.check input').check()
    await isQuiet(page)
    const sent = page.waitForResponse((response) => response.url().endsWith('/operation'))
    await press(page, 1_300)
    expect((await sent).status()).toBe(202)
    await page.getByText(say('requested_START')).first().waitFor()
    expect(await page.locator('.check input').isChecked()).toBe(false)
    await obey(machine, 'RUNNING')
    await page.getByText(say('confirmed_by_machine')).first().waitFor({ timeout: openFor })
    await saysStatus(page, 'status_RUNNING')
    await page.screenshot({ path: join(screenshots, `console-${language}-running.png`), fullPage: true })

    const stopped = page.waitForResponse((response) => response.url().endsWith('/operation'))
    await page.locator('.stop').click()
    expect((await stopped).status()).toBe(202)
    await obey(machine, 'READY')
    await page
      .locator('.machine-status .status-word', { hasText: say('status_READY') })
      .first()
      .waitFor({ timeout: openFor })
    await page.close()
  })

  /** Takes the command from the answer to a report, tells its success, and reports the status. */
  async function obey(machine: Reporter, status: string) {
    const { command } = await machine.report({
      status: status === 'RUNNING' ? 'READY' : 'RUNNING',
      interval_seconds: 300,
      cycles: 1,
    })
    await machine.report({ status, interval_seconds: 300, outcome: { job_id: command.job_id, result: 'SUCCESS' } })
  }

  test('START and STOP by the keyboard alone', async () => {
    const machine = await aPullMachine(world, owner)
    await machine.report({ status: 'READY', interval_seconds: 300 })
    const page = await signIn(owner)
    await openMachine(page, machine)
    await page.getByText(say('danger_zone_first')).waitFor() // the preflight has answered
    await page.locator('.check input').focus()
    await page.keyboard.press('Space')
    await isQuiet(page)
    const operation = () => page.waitForResponse((response) => response.url().endsWith('/operation'))
    const started = operation()
    await page.locator('.start').focus()
    await page.keyboard.down('Space')
    await page.waitForTimeout(1_300) // as long as the button wants to be pressed
    await page.keyboard.up('Space')
    expect((await started).status()).toBe(202)
    const stopped = operation()
    await page.keyboard.press('Control+.')
    expect((await stopped).status()).toBe(202)
    expect((await jobsOf(machine)).map(({ command, state }: Record<string, string>) => `${command} ${state}`)).toEqual([
      'STOP QUEUED',
      'START SUPERSEDED',
    ])
    await page.close()
  })

  test('the tick keeps the focus while the conditions of a START are checked, and cannot be set before', async () => {
    const machine = await aPullMachine(world, owner)
    await machine.report({ status: 'READY', interval_seconds: 300 })
    const page = await signIn(owner)
    let answer = () => {}
    const isAsked = new Promise<void>((resolve) => {
      answer = resolve
    })
    await page.route('**/preflight*', async (route) => {
      await isAsked
      await route.continue()
    })
    await openMachine(page, machine)
    const tick = page.locator('.check input')
    await tick.focus()
    await page.keyboard.press('Space')
    expect(await tick.isChecked()).toBe(false)
    answer()
    await page.getByText(say('danger_zone_first')).waitFor()
    expect(await page.locator('.check input:focus').count()).toBe(1)
    await page.keyboard.press('Space')
    await isQuiet(page)
    expect(await tick.isChecked()).toBe(true)
    await page.close()
  })

  test('the board shows what happens to a machine without a reload', async () => {
    const machine = await aPullMachine(world, owner)
    await machine.report({ status: 'READY', interval_seconds: 300 })
    const page = await signIn(owner)
    const card = page.locator('.card', { has: page.locator(`a[href="#/machines/${machine.id}"]`) })
    await card.locator('.status-word', { hasText: say('status_READY') }).waitFor()
    await machine.report({ status: 'ERROR', interval_seconds: 300 })
    await card.locator('.status-word', { hasText: say('status_ERROR') }).waitFor()
    await page.close()
  })

  test('a machine that has fallen silent is grey and cannot be started', async () => {
    const machine = await aPullMachine(world, owner)
    await machine.report({ status: 'RUNNING', interval_seconds: 5 })
    await world.postgres.query("UPDATE machine_reports SET at = at - interval '1 hour' WHERE machine_id = $1", [
      machine.id,
    ])
    const page = await signIn(owner)
    await openMachine(page, machine)
    await saysStatus(page, 'status_stale')
    await page.locator('.obstacles li', { hasText: say('why_stale') }).waitFor()
    expect(await page.locator('.start').isDisabled()).toBe(true)
    await page.screenshot({ path: join(screenshots, `console-${language}-stale.png`), fullPage: true })
    await page.close()
  })

  test('a hold is placed, says why there is no START, and is removed', async () => {
    const machine = await aPullMachine(world, owner)
    await machine.report({ status: 'READY', interval_seconds: 300 })
    const page = await signIn(owner)
    await openMachine(page, machine)
    const holds = page.locator('section[aria-labelledby=holds-title]')
    await holds.locator('input[name=reason]').fill('금형 교체')
    await holds.locator('button[type=submit]').click()
    await page.locator('.obstacles li', { hasText: say('why_held') }).waitFor({ timeout: openFor })
    await holds.getByText('금형 교체', { exact: true }).waitFor()
    // Also beside the status, at the top of the page.
    await page.locator('.machine-now .note-hold', { hasText: '금형 교체' }).waitFor()
    await page.screenshot({ path: join(screenshots, `console-${language}-held.png`), fullPage: true })
    await holds.getByRole('button', { name: say('remove_hold') }).click()
    await page.locator('.obstacles').waitFor({ state: 'detached', timeout: openFor })
    await page.close()
  })

  test('whoever has ticked that nobody is in the danger zone looks again after a hold of a colleague', async () => {
    const machine = await aPullMachine(world, owner)
    await machine.report({ status: 'READY', interval_seconds: 300 })
    const page = await signIn(owner)
    await openMachine(page, machine)
    await page.getByText(say('danger_zone_first')).waitFor()
    await page.locator('.check input').check()
    await isQuiet(page)
    const holds = `/api/machines/${machine.id}/holds`
    const { body: hold } = await owner.request('POST', holds, { body: { reason: '금형 교체' } })
    await page.locator('.obstacles li', { hasText: say('why_held') }).waitFor({ timeout: openFor })
    await owner.request('DELETE', `${holds}/${hold.id}`)
    await page.locator('.obstacles').waitFor({ state: 'detached', timeout: openFor })
    await page.getByText(say('danger_zone_first')).waitFor()
    expect(await page.locator('.check input').isChecked()).toBe(false)
    expect(await page.locator('.start').getAttribute('aria-disabled')).toBe('true')
    await page.close()
  })

  test('a viewer has no buttons, and whoever is signed out elsewhere is signed out here', async () => {
    const viewer = await world.signUp()
    const machine = await aPullMachine(world, owner)
    await grant(owner, `/api/machines/${machine.id}`, viewer, 'viewer')
    const page = await signIn(viewer)
    await openMachine(page, machine)
    await page.getByText(say('viewer_only')).waitFor()
    expect(await page.locator('.stop, .start').count()).toBe(0)
    await world.postgres.query('UPDATE sessions SET ended_at = now() WHERE account_id = $1', [viewer.id])
    await page.locator('input[name=username]').waitFor({ timeout: openFor })
    await page.getByText(say('session_ended')).waitFor()
    await page.close()
  })

  test('STOP works while every read hangs, and a lost connection is shown and goes away', async () => {
    const machine = await aPullMachine(world, owner)
    await machine.report({ status: 'READY', interval_seconds: 300 })
    const page = await signIn(owner)
    await openMachine(page, machine)
    await page.route('**/api/**', (route) => (route.request().method() === 'GET' ? undefined : route.continue()))
    const lost = page.locator('.connection-lost')
    await lost.waitFor({ timeout: shownWithin })
    // The page itself is still answered, which says nothing about the API.
    for (let n = 0; n < 3; n++) await page.waitForResponse((response) => response.request().method() === 'HEAD')
    expect(await lost.isVisible()).toBe(true)
    const stopped = page.waitForResponse((response) => response.url().endsWith('/operation'))
    await page.locator('.stop').click()
    expect((await stopped).status()).toBe(202)
    await page.screenshot({ path: join(screenshots, `console-${language}-lost.png`) })
    await page.unroute('**/api/**')
    await page.locator('.connection-lost').waitFor({ state: 'detached', timeout: openFor })
    await page.close()
  })
})
