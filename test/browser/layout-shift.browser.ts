// Nothing moves when data arrives: a person who is about to press STOP must not hit the button of another machine. The browser
// counts what moves (Layout Instability); a sum of 0.1 is still good (https://web.dev/articles/cls), and we allow a fifth of it.
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Person, startWorld, type World } from '../harness.ts'
import { ageReport, type Reporter, reporterOf } from '../jobs/reporting.ts'
import { createSite } from '../sites/places.ts'
import { type Browser, findChromium, startBrowser } from './chromium.ts'
import { go, openConsole, shownWithinMs } from './visit.ts'

const mostShift = 0.02
const machineCount = 6
const intervalSeconds = 300
const alarm = {
  code: 'E-204',
  text: '금형 보호 이상: 이물이 끼어 형폐가 중단되었습니다. 금형을 확인하고 다시 시작하세요.',
}
const reason = '금형 교체와 히터 점검, 두 시간쯤 걸립니다. 끝나면 김 반장에게 연락하세요.'

/** Runs in the page before its own script. What moves within 0.5 s of a press was asked for. */
const observe = `
  window.shifts = []
  const nameOf = (node) => node?.className || node?.parentElement?.className || node?.nodeName
  new PerformanceObserver((list) => {
    for (const { value, hadRecentInput, sources } of list.getEntries()) {
      if (!hadRecentInput) shifts.push({ value, of: sources.map(({ node }) => nameOf(node)).join(', ') })
    }
  }).observe({ type: 'layout-shift', buffered: true })
`

let world: World
let browser: Browser
beforeAll(async () => {
  findChromium()
  world = await startWorld()
  browser = await startBrowser({ locale: 'en-US' })
  await browser.context.addInitScript(observe)
})
afterAll(async () => {
  await browser?.close()
  await world?.close()
})

/** Machines that only this person sees. The first one is returned. */
async function addMachines(owner: Person, count: number): Promise<Reporter> {
  const site = await createSite(owner)
  const machines: Reporter[] = []
  for (let n = 0; n < count; n++) {
    const { id } = await world.createMachine(owner, { controller_url: null, site_id: site.id })
    const machine = await reporterOf(world, owner, id)
    await machine.report({ status: 'READY', interval_seconds: intervalSeconds })
    machines.push(machine)
  }
  const [first] = machines
  if (!first) throw new Error('there is no machine')
  return first
}

type Shift = { value: number; of: string }

async function expectNoShift(page: Page): Promise<void> {
  const shifts = (await page.evaluate('shifts')) as Shift[] // set by the script above
  const sum = shifts.reduce((total, { value }) => total + value, 0)
  expect(sum, JSON.stringify(shifts)).toBeLessThanOrEqual(mostShift)
}

/** The places of all elements, in whole pixels of the document. */
const findPlaces = (page: Page, selector: string): Promise<string[]> =>
  page.evaluate(`[...document.querySelectorAll(${JSON.stringify(selector)})].map((each) => {
    const { left, top } = each.getBoundingClientRect()
    return each.className + ' at ' + [left + scrollX, top + scrollY].map(Math.round)
  })`)

/** Holds back the answers that match until the returned function is called. */
async function delayAnswers(page: Page, url: RegExp): Promise<() => void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  await page.route(url, async (route) => {
    await promise
    await route.continue()
  })
  return resolve
}

/** What happens to a machine, each with what then shows on its card and on its page. */
function eventsOf(machine: Reporter, by: Person) {
  const post = async (path: string, body: unknown, status: number) =>
    expect((await by.request('POST', `/api/machines/${machine.id}/${path}`, { body })).status).toBe(status)
  return [
    {
      shows: '.note-alarm',
      happen: () => machine.report({ status: 'ERROR', interval_seconds: intervalSeconds, alarm }),
    },
    { shows: '.note-hold, .obstacles li:nth-child(2)', happen: () => post('holds', { reason }, 201) },
    { shows: '.note-job, .job.is-open', happen: () => post('operation', { command: 'STOP' }, 202) },
    { shows: '.status-stale', happen: () => ageReport(world, machine.id, '1 hour') },
  ]
}

describe.each([
  { width: 390, height: 844 },
  { width: 1440, height: 900 },
])('at $width × $height', (viewport) => {
  const open = async (person: Person): Promise<Page> => {
    const page = await openConsole(browser, world, person)
    await page.setViewportSize(viewport)
    return page
  }

  test('the board: cards come where their places were, and stay there whatever happens to a machine', async () => {
    const owner = await world.signUp()
    const machine = await addMachines(owner, machineCount)
    const page = await open(owner)
    const release = await delayAnswers(page, /\/api\/board/)
    await page.reload()
    await page
      .locator('.skeleton-card')
      .nth(machineCount - 1)
      .waitFor()
    const empty = await findPlaces(page, '.skeleton-card')
    release()
    await page
      .locator('.card')
      .nth(machineCount - 1)
      .waitFor()
    const cards = await findPlaces(page, '.card')
    expect(cards.map((each) => each.split(' at ')[1])).toEqual(empty.map((each) => each.split(' at ')[1]))
    await expectNoShift(page)

    const card = page.locator('.card', { has: page.locator(`a[href="#/machines/${machine.id}"]`) })
    const places = () => findPlaces(page, '.card-head, .card .stop')
    const before = await places()
    for (const { shows, happen } of eventsOf(machine, owner)) {
      await happen()
      await card.locator(shows).first().waitFor({ timeout: shownWithinMs })
      expect(await places(), shows).toEqual(before)
    }
    await page.route('**/operation', (route) => route.fulfill({ status: 403, body: '{}' }))
    await card.locator('.stop').click()
    await card.locator('.stop-failed').waitFor({ timeout: shownWithinMs })
    expect(await places(), 'a STOP that failed').toEqual(before)
    await expectNoShift(page)
    await page.close()
  })

  test('the page of a machine: what is read later has its place, and panels stay whatever happens', async () => {
    const owner = await world.signUp()
    const machine = await addMachines(owner, 1)
    const page = await open(owner)
    await go(page, `#/machines/${machine.id}`)
    await page.locator('.operate').waitFor()
    const release = await delayAnswers(page, /\/(preflight|holds|members|keys|sites)\b/)
    await page.reload()
    await page.locator('.skeleton-row').nth(2).waitFor()
    const places = () => findPlaces(page, '.panel, .operate .is-large, .operate-job, h1')
    const before = await places()
    release()
    await page.locator('.skeleton').first().waitFor({ state: 'detached' })
    await page.getByText(/First check the danger zone/).waitFor()
    expect(await places(), 'after the first load').toEqual(before)
    await expectNoShift(page)

    for (const { shows, happen } of eventsOf(machine, owner)) {
      await happen()
      await page.locator(shows).first().waitFor({ timeout: shownWithinMs })
      expect(await places(), shows).toEqual(before)
    }
    await page.route('**/operation', (route) => route.fulfill({ status: 403, body: '{}' }))
    await page.locator('.stop').click()
    await page.locator('.stop-failed').waitFor({ timeout: shownWithinMs })
    expect(await places(), 'a STOP that failed').toEqual(before)
    await expectNoShift(page)
    await page.close()
  })
})
