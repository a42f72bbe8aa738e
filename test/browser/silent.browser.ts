// A machine that runs falls silent while people look at it, on its page and on the board, and is stopped from there.
import { setTimeout as delay } from 'node:timers/promises'
import type { Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Person, startWorld, type World } from '../harness.ts'
import { aPullMachine, type Reporter } from '../jobs/reporting.ts'
import { type Browser, findChromium, startBrowser } from './chromium.ts'
import { sayIn } from './console-pages.ts'
import { goToMachine, openConsole, shownWithinMs, views } from './visit.ts'

/** The shortest one that the API takes. Three of them without a report, and the machine is silent. */
const intervalSeconds = 5
const silentWithinMs = 3 * intervalSeconds * 1_000 + shownWithinMs

let world: World
beforeAll(async () => {
  findChromium()
  world = await startWorld()
})
afterAll(() => world?.close())

/** Reports that the machine runs, until `end`. */
function reportAlways({ report }: Reporter) {
  const ending = new AbortController()
  const repeat = async () => {
    while (!ending.signal.aborted) {
      await report({ status: 'RUNNING', interval_seconds: intervalSeconds })
      await delay(1_000, undefined, { signal: ending.signal }).catch(() => {}) // it was ended
    }
  }
  const repeating = repeat()
  return {
    end() {
      ending.abort()
      return repeating
    },
  }
}

/** The colour in which the page shows a status. */
const colorOf = (status: Locator): Promise<string> =>
  status.evaluate((element) => element.ownerDocument.defaultView.getComputedStyle(element).color)

/** The grey of a machine that is silent. */
const readGrey = (page: Page) =>
  page.evaluate(`(() => {
    const sample = document.body.appendChild(document.createElement('i'))
    sample.style.color = 'var(--stale)'
    const { color } = getComputedStyle(sample)
    sample.remove()
    return color
  })()`)

// Both at once: they mostly wait.
describe.concurrent.each(views)(
  'in $locale at $viewport.width × $viewport.height',
  ({ language, locale, viewport }) => {
    const say = sayIn(language)
    let browser: Browser
    let owner: Person
    beforeAll(async () => {
      browser = await startBrowser({ locale, viewport })
      owner = await world.signUp()
    })
    afterAll(() => browser?.close())

    test('it turns grey by itself and says since when; there is no START, and STOP is one tap', async () => {
      const machine = await aPullMachine(world, owner)
      const reporting = reportAlways(machine)
      const [board, page] = [await openConsole(browser, world, owner), await openConsole(browser, world, owner)]
      await goToMachine(page, machine.id)
      const card = board.locator('.card', { has: board.locator(`a[href="#/machines/${machine.id}"]`) })
      const now = page.locator('.machine-now')
      for (const place of [card, now]) {
        await place.locator('.status-RUNNING', { hasText: say('status_RUNNING') }).waitFor({ timeout: shownWithinMs })
      }
      await reporting.end()
      for (const place of [card, now]) {
        await place.locator('.status-stale', { hasText: say('status_stale') }).waitFor({ timeout: silentWithinMs })
        const last = say('stale_last', { status: say('status_RUNNING') })
        await place.locator('.status-source', { hasText: last }).waitFor()
        await place.locator('.status-since', { hasText: /\d/ }).waitFor({ timeout: shownWithinMs })
        expect(await place.locator('.status-RUNNING').count()).toBe(0)
        expect(await colorOf(place.locator('.status'))).toBe(await readGrey(page))
      }
      const ages = (['age_seconds', 'age_minutes'] as const).map((age) => say(age, { n: '\\d+' }))
      await now.locator('.facts', { hasText: new RegExp(ages.join('|')) }).waitFor()
      await page.locator('.obstacles li', { hasText: say('why_stale') }).waitFor({ timeout: shownWithinMs })
      expect(await page.locator('.start').getAttribute('aria-disabled')).toBe('true')

      const stopped = board.waitForResponse((response) => response.url().endsWith('/operation'))
      await card.getByRole('button', { name: say('stop_named', { name: 'Machine' }) }).click()
      const answer = await stopped
      expect([answer.status(), (await answer.json()).command]).toEqual([202, 'STOP'])
      for (const place of [card.locator('.note-job'), page.locator('.operate .job.is-open')]) {
        await place.getByText(say('requested_STOP')).waitFor({ timeout: shownWithinMs })
      }
      await page.locator('.job-row', { hasText: say('job_STOP') }).waitFor()
      expect(await card.locator('.status-stale').count()).toBe(1) // nobody has heard of the machine yet
    })
  },
)
