// The operator's day by keyboard alone: no mouse, and no script that sets the focus. The focus is always visible and never lost.
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Person, startWorld, type World } from '../harness.ts'
import { aPullMachine, type Reporter } from '../jobs/reporting.ts'
import { createSite } from '../sites/places.ts'
import { type Browser, findChromium, startBrowser } from './chromium.ts'
import { sayIn } from './console-pages.ts'
import { expectFocus, findPassedOver, tabTo, walk } from './keyboard.ts'
import { openConsole, shownWithinMs, views } from './visit.ts'

const keys = 'section[aria-labelledby=keys-title]'

let world: World
beforeAll(async () => {
  findChromium()
  world = await startWorld()
})
afterAll(() => world?.close())

/** Takes the command from the answer to a report, tells its success, and reports the status. */
async function obey(machine: Reporter, before: string, after: string): Promise<void> {
  const { command } = await machine.report({ status: before, interval_seconds: 300 })
  const outcome = { job_id: command.job_id, result: 'SUCCESS' }
  await machine.report({ status: after, interval_seconds: 300, outcome })
}

describe.each(views)('in $locale at $viewport.width × $viewport.height', ({ language, locale, viewport }) => {
  const say = sayIn(language)
  let browser: Browser
  let owner: Person
  let press: Reporter
  beforeAll(async () => {
    browser = await startBrowser({ locale, viewport })
    owner = await world.signUp()
    const site = await createSite(owner)
    for (const name of ['Press 6', 'Press 7']) {
      press = await aPullMachine(world, owner)
      await press.report({ status: 'READY', interval_seconds: 300 })
      await owner.request('PATCH', `/api/machines/${press.id}`, { body: { name, site_id: site.id } })
    }
  })
  afterAll(() => browser?.close())

  const operation = (page: Page) =>
    page.waitForResponse((response) => response.url().endsWith('/operation') && response.status() === 202)
  const showsStatus = (page: Page, name: 'status_READY' | 'status_RUNNING') =>
    page.locator('.machine-now .status-word', { hasText: say(name) }).waitFor({ timeout: shownWithinMs })

  test.each([
    ['the board', '#/', ['.card']],
    ['a machine', '', ['.operate-why .hint', `${keys} .row`]],
    ['the sites', '#/sites', ['.row-link']],
    ['the own account', '#/me', ['section[aria-labelledby=sessions-title] .row', `${keys} .row`]],
  ])('Tab leads to everything on the screen of %s, from its top to its bottom', async (_, hash, shown) => {
    const page = await openConsole(browser, world, owner)
    await page.goto(`${world.url}/${hash || `#/machines/${press.id}`}`)
    await page.reload() // Tab begins at the top
    for (const part of shown) await page.locator(part).first().waitFor({ state: 'attached' })
    const stops = await walk(page)
    expect(await findPassedOver(page)).toEqual([])
    expect(stops[0]?.name).toBe(`button ${say('skip_to_content')}`)
    const isOneColumn = viewport.width < 600
    const upwards = stops.filter(({ isInMain, bottom }, n) => isInMain && bottom < (stops[n - 1]?.top ?? 0))
    expect(isOneColumn ? upwards.map(({ name }) => name) : []).toEqual([])
    await page.close()
  })

  test('the first element leads past the navigation', async () => {
    const page = await openConsole(browser, world, owner)
    await tabTo(page, page.locator('.skip'))
    await page.keyboard.press('Enter')
    await expectFocus(page, page.locator('main'))
    await page.keyboard.press('Tab')
    await expectFocus(page, page.locator('main a').first())
    await page.close()
  })

  // The last one, because the browser remembers its language.
  test('sign in, find a machine, START, STOP, a hold, a cancelled job, language, theme, sign out', async () => {
    const page = await browser.context.newPage()
    const { keyboard } = page
    const heading = page.getByRole('heading', { level: 1 })
    await page.goto(world.url)
    await page.locator('form').waitFor()
    await tabTo(page, page.locator('input[name=username]'))
    await keyboard.type(owner.username)
    await tabTo(page, page.locator('input[name=password]'))
    await keyboard.type(owner.password)
    await keyboard.press('Enter')
    await page.locator('.card').nth(1).waitFor()
    await expectFocus(page, heading.filter({ hasText: say('board_title') }))

    const search = page.locator('input[type=search]')
    await tabTo(page, search)
    await keyboard.type('press ')
    await expect.poll(() => page.url()).toContain('q=press') // she pauses, and goes on where she was
    await keyboard.type('7')
    await expect.poll(() => page.locator('.card').count(), { timeout: shownWithinMs }).toBe(1)
    await expectFocus(page, search)
    await tabTo(page, page.locator('.card-name a', { hasText: 'Press 7' }))
    await keyboard.press('Enter')
    await page.locator('.operate').waitFor()
    await expectFocus(page, heading.filter({ hasText: 'Press 7' }))

    const stopButton = page.locator('.operate .stop')
    const startButton = page.locator('.start')
    const start = async () => {
      await page.locator('.operate-why', { hasText: say('danger_zone_first') }).waitFor({ timeout: shownWithinMs })
      await tabTo(page, page.locator('.check input'))
      await keyboard.press('Space')
      await tabTo(page, startButton)
      const started = operation(page)
      await keyboard.down('Space')
      await started
      await keyboard.up('Space')
      await expectFocus(page, startButton)
    }
    await start()
    await obey(press, 'READY', 'RUNNING')
    await showsStatus(page, 'status_RUNNING')
    await page.getByText(say('confirmed_by_machine')).waitFor({ timeout: shownWithinMs })
    await expectFocus(page, startButton)

    await tabTo(page, stopButton, 'Shift+Tab')
    const stopped = operation(page)
    await keyboard.press('Enter')
    await stopped
    await obey(press, 'RUNNING', 'READY')
    await showsStatus(page, 'status_READY')
    await expectFocus(page, stopButton)

    const holds = page.locator('section[aria-labelledby=holds-title]')
    await tabTo(page, holds.locator('input[name=reason]'))
    await keyboard.insertText('금형 교체')
    await keyboard.press('Enter')
    await page.locator('.obstacles li', { hasText: say('why_held') }).waitFor({ timeout: shownWithinMs })
    // The obstacles, which stand above it, may have moved it out of the window. It comes back with the next key.
    expect(await holds.locator('input[name=reason]:focus').count()).toBe(1)
    await tabTo(page, holds.getByRole('button', { name: say('remove_hold') }), 'Shift+Tab')
    await keyboard.press('Enter')
    await page.locator('.obstacles').waitFor({ state: 'detached', timeout: shownWithinMs })
    await expectFocus(page, holds.getByRole('heading', { name: say('holds_title') }))

    await tabTo(page, stopButton, 'Shift+Tab')
    await start()
    const progress = page.locator('.operate .job')
    const cancel = progress.getByRole('button', { name: say('cancel_job') })
    await cancel.waitFor({ timeout: shownWithinMs })
    await tabTo(page, cancel)
    await keyboard.press('Enter')
    await progress.getByText(say('state_CANCELED'), { exact: true }).waitFor({ timeout: shownWithinMs })
    await expectFocus(page, page.locator('#operate-title'))
    await tabTo(page, stopButton) // the next one from there

    const languages = page.locator('.top-end select').first()
    const other = sayIn(language === 'ko' ? 'en' : 'ko')
    await tabTo(page, languages, 'Shift+Tab')
    await keyboard.press(language === 'ko' ? 'ArrowDown' : 'ArrowUp')
    await page.getByRole('button', { name: other('sign_out') }).waitFor()
    await expectFocus(page, languages)
    const themes = page.locator('.top-end select').nth(1)
    await tabTo(page, themes)
    await keyboard.press('ArrowDown')
    await page.locator(':root[data-theme=light]').waitFor()
    await expectFocus(page, themes)
    await tabTo(page, page.getByRole('button', { name: other('sign_out') }))
    await keyboard.press('Enter')
    await page.getByText(other('signed_out'), { exact: true }).waitFor()
    await expectFocus(page, heading.filter({ hasText: other('sign_in_title') }))
    await page.close()
  })
})
