// Two tabs of one session: a tab that was opened by another or duplicated has a copy of its refresh token, which works once.
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startWorld, type World } from '../harness.ts'
import { type Browser, findChromium, startBrowser } from './chromium.ts'
import { sayIn } from './console-pages.ts'
import { emptyPage, openConsole, shownWithinMs, views } from './visit.ts'

/** Longer than a tab waits for the tokens of others before it refreshes by itself. */
const secondRefreshMs = 1_000

let world: World
beforeAll(async () => {
  findChromium()
  world = await startWorld()
})
afterAll(() => world?.close())

const showsBoard = (tab: Page) => tab.locator('.empty').waitFor({ timeout: shownWithinMs })
const readToken = (tab: Page): Promise<string> => tab.evaluate(`sessionStorage.getItem('tiebar.refresh')`)
const readsBoard = (tab: Page) =>
  tab.waitForResponse((response) => response.url().includes('/api/board') && response.status() < 400, {
    timeout: shownWithinMs,
  })

describe.each(views)('in $locale at $viewport.width × $viewport.height', ({ language, locale, viewport }) => {
  const say = sayIn(language)
  let browser: Browser
  let tabs: [Page, Page]
  let refreshes: number
  beforeAll(async () => {
    browser = await startBrowser({ locale, viewport })
    browser.context.on('request', (request) => {
      if (request.url().endsWith('/api/token/refresh')) refreshes += 1
    })
  })
  afterAll(() => browser?.close())
  beforeEach(async () => {
    await browser.context.unrouteAll()
    for (const page of browser.context.pages().slice(1)) await page.close()
    const first = await openConsole(browser, world, await world.signUp())
    const opened = browser.context.waitForEvent('page')
    await first.evaluate(`open('/') && undefined`)
    tabs = [first, await opened]
    await showsBoard(tabs[1])
    refreshes = 0
  })

  test('a tab that was opened by another is signed in', async () => {
    expect(await readToken(tabs[1])).toBe(await readToken(tabs[0]))
  })

  test('the access token is not stored, also where a tab has got it from the other', async () => {
    for (const tab of tabs) {
      const stored: [string, string][] = await tab.evaluate(
        `[...Object.entries(sessionStorage), ...Object.entries(localStorage), ['cookie', document.cookie]]`,
      )
      const tokens = stored.filter(([, value]) => /\beyJ/.test(value)).map(([name]) => name)
      expect(tokens).toEqual(['tiebar.refresh'])
    }
  })

  test('two tabs whose access token has expired refresh once, and both go on', async () => {
    const expired: string[] = []
    const refused = new Set<Page>()
    const { promise: areRefused, resolve } = Promise.withResolvers<void>()
    await browser.context.route(/\/api\/board/, async (route) => {
      const { authorization = '' } = route.request().headers()
      if (expired.length === 0) expired.push(authorization)
      if (!expired.includes(authorization)) return route.continue()
      refused.add(route.request().frame().page())
      if (refused.size === tabs.length) resolve()
      const problem = { type: 'about:blank', title: 'T', status: 401, code: 'token_invalid', detail: 'It has expired.' }
      return route.fulfill({ status: 401, contentType: 'application/problem+json', body: JSON.stringify(problem) })
    })
    // The answer to the first one comes when the other tab has had the time to send one, too.
    await browser.context.route(/\/api\/token\/refresh/, async (route) => {
      await areRefused
      await tabs[0].waitForTimeout(secondRefreshMs)
      return route.continue()
    })
    await Promise.all(tabs.map(readsBoard))
    expect(refreshes).toBe(1)
    expect(await readToken(tabs[0])).toBe(await readToken(tabs[1]))
  })

  test('two tabs that are loaded again at once go on', async () => {
    await Promise.all(tabs.map((tab) => tab.reload()))
    await Promise.all(tabs.map(showsBoard))
    expect(await readToken(tabs[0])).toBe(await readToken(tabs[1]))
  })

  test('a tab that has slept through a refresh gets the tokens of the other', async () => {
    const [asleep, awake] = tabs
    const old = await readToken(asleep)
    // Both leave the console before they come back, so that neither has an access token for the other.
    await Promise.all(tabs.map((tab) => tab.goto(`${world.url}${emptyPage}`)))
    await Promise.all(tabs.map((tab) => tab.goto(world.url)))
    await Promise.all(tabs.map(showsBoard))
    expect(await readToken(awake)).not.toBe(old)
    await asleep.evaluate(`sessionStorage.setItem('tiebar.refresh', ${JSON.stringify(old)})`)
    // Past the time in which the API accepts the token before the last one.
    await world.postgres.query(`UPDATE sessions SET refreshed_at = refreshed_at - interval '1 hour'`)
    await asleep.reload()
    await showsBoard(asleep)
    await Promise.all(tabs.map(readsBoard))
  })

  test('a sign-out in one tab is one in the other', async () => {
    await tabs[0].getByRole('button', { name: say('sign_out') }).click()
    await tabs[1].getByText(say('signed_out_elsewhere')).waitFor()
  })

  test('two tabs with sessions of their own do not disturb each other', async () => {
    const other = await openConsole(browser, world, await world.signUp())
    await tabs[0].getByRole('button', { name: say('sign_out') }).click()
    await tabs[1].getByText(say('signed_out_elsewhere')).waitFor()
    await readsBoard(other)
  })
})
