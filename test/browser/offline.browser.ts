// Offline and back, in both languages: a lost connection shows within 5 s, and the page goes on when it is back.
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Person, startWorld, type World } from '../harness.ts'
import { type Browser, findChromium, startBrowser } from './chromium.ts'
import { sayIn } from './console-pages.ts'
import { conditions, fillHall, findIn, type Hall } from './hall.ts'
import { go, goToMachine, openConsole, shownWithinMs, views } from './visit.ts'

const lostWithinMs = 5_000

let world: World
let owner: Person
let hall: Hall
beforeAll(async () => {
  findChromium()
  world = await startWorld()
  owner = await world.signUp()
  hall = await fillHall(world, owner, Object.keys(conditions).length)
})
afterAll(() => world?.close())

describe.each(views)('in $locale at $viewport.width × $viewport.height', ({ language, locale, viewport }) => {
  const say = sayIn(language)
  const other = sayIn(language === 'ko' ? 'en' : 'ko')
  let browser: Browser
  let page: Page
  beforeAll(async () => {
    browser = await startBrowser({ locale, viewport })
    page = await openConsole(browser, world, owner)
  })
  afterAll(() => browser?.close())

  /** A text with the age of just now, or with one in seconds. */
  const withAge = (name: 'connection_lost_detail' | 'data_from', ...ages: ('age_now' | 'age_seconds')[]) =>
    new RegExp(ages.map((age) => say(name, { age: say(age, { n: '\\d+' }) })).join('|'))

  test.each([
    ['the device is offline', () => browser.context.setOffline(true), () => browser.context.setOffline(false)],
    ['the server does not answer', () => page.route(/./, (route) => route.abort()), () => page.unrouteAll()],
  ])(
    'when %s, this and the age of everything show within 5 s, there is no START, and it recovers',
    async (_, lose, recover) => {
      await goToMachine(page, findIn(hall, 'ready'))
      await page.locator(':root[data-connection=open]').waitFor()
      await lose()
      const lost = page.locator('.connection-lost', { hasText: say('connection_lost') })
      await lost.waitFor({ timeout: lostWithinMs })
      expect(await lost.textContent()).toMatch(withAge('connection_lost_detail', 'age_now', 'age_seconds'))
      await page
        .locator('.data-age', { hasText: withAge('data_from', 'age_seconds') })
        .waitFor({ timeout: lostWithinMs })
      expect(await page.locator(':root[data-connection=lost]').count()).toBe(1)
      expect(await page.locator('.operate-why').textContent()).toBe(say('start_offline'))
      expect(await page.locator('.start').getAttribute('aria-disabled')).toBe('true')
      await recover()
      await lost.waitFor({ state: 'detached', timeout: shownWithinMs })
      await page.locator('.data-age', { hasText: withAge('data_from', 'age_now') }).waitFor({ timeout: shownWithinMs })
      await page.locator('.operate-why', { hasText: say('danger_zone_first') }).waitFor({ timeout: shownWithinMs })
    },
  )

  test('without a connection, the board is still there after a step back, and in the other language', async () => {
    await go(page, '#/')
    await page.locator('.card').first().waitFor()
    await go(page, '#/sites')
    await page.locator('.row-link').first().waitFor()
    await browser.context.setOffline(true)
    await page.goBack()
    await page.locator('.card').first().waitFor()
    await page
      .locator('.top-end select')
      .first()
      .selectOption(language === 'ko' ? 'en' : 'ko')
    await page.getByRole('heading', { level: 1, name: other('board_title') }).waitFor()
    expect(await page.locator('.card').count()).toBe(hall.machines.length)
    expect(await page.locator('.data-age').count()).toBe(1)
    await browser.context.setOffline(false)
  })
})
