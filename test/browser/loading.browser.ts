// While a panel reads, it shows that it does, and not that it is empty; a change of the language keeps what was filled in.
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { texts } from '../../src/console/texts.ts'
import { makeKey } from '../accounts/people.ts'
import { type Person, startWorld, type World } from '../harness.ts'
import { createSite, grant } from '../sites/places.ts'
import { type Browser, findChromium, startBrowser } from './chromium.ts'
import { go, openConsole } from './visit.ts'

let world: World
let browser: Browser
let staff: Person
let page: Page
/** The addresses of the screens. */
let places: Record<'site' | 'machine' | 'me' | 'accounts', string>
let machine: { id: number }
beforeAll(async () => {
  findChromium()
  world = await startWorld()
  browser = await startBrowser({ locale: 'en-US' })
  staff = await world.signUpStaff()
  const site = await createSite(staff)
  await grant(staff, site.path, await world.signUp(), 'operator')
  machine = await world.createMachine(staff, { site_id: site.id })
  await grant(staff, `/api/machines/${machine.id}`, await world.signUp(), 'operator')
  await staff.request('POST', `/api/machines/${machine.id}/holds`, { body: { reason: '청소' } })
  await makeKey(world, staff, { scopes: ['report'], machine_id: machine.id })
  places = { site: `#/sites/${site.id}`, machine: `#/machines/${machine.id}`, me: '#/me', accounts: '#/accounts' }
  page = await openConsole(browser, world, staff)
})
afterAll(async () => {
  await browser?.close()
  await world?.close()
})

describe('says that it reads, then shows its rows', () => {
  test.each([
    ['holds', 'machine', /\/holds\b/, 'section[aria-labelledby=holds-title]', texts.no_holds[1]],
    ['members', 'machine', /\/members\b/, 'section[aria-labelledby=members-title]', texts.no_members[1]],
    ['members of a site', 'site', /\/members\b/, 'section[aria-labelledby=members-title]', texts.no_members[1]],
    ['keys', 'machine', /\/api\/keys\b/, 'section[aria-labelledby=keys-title]', texts.no_keys[1]],
    ['sessions', 'me', /\/sessions\b/, 'section[aria-labelledby=sessions-title]', undefined],
    ['accounts', 'accounts', /\/api\/accounts\b/, '.columns .panel >> nth=0', texts.no_accounts[1]],
  ] as const)('%s', async (_, place, url, selector, none) => {
    const { promise: isReleased, resolve: release } = Promise.withResolvers<void>()
    await page.route(url, async (route) => {
      await isReleased
      await route.continue()
    })
    await go(page, '#/nowhere')
    await page.locator('.empty').waitFor()
    await go(page, places[place])
    const panel = page.locator(selector)
    await panel.locator('.skeleton').waitFor()
    expect(await panel.locator('.row').count()).toBe(0)
    if (none !== undefined) expect(await panel.getByText(none).count()).toBe(0)
    release()
    await panel.locator('.rows .row').first().waitFor()
    expect(await panel.locator('.skeleton').count()).toBe(0)
    await page.unrouteAll({ behavior: 'wait' })
  })
})

test('the settings of a machine are there at once, and are saved without a move while the sites are still read', async () => {
  await page.route(/\/api\/sites\b/, () => {})
  await go(page, places.machine)
  const settings = page.locator('section[aria-labelledby=settings-title]')
  await settings.locator('input[name=name]').fill('Press 9')
  expect(await settings.locator('option').allTextContents()).toEqual([texts.loading[1]])
  await settings.getByRole('button', { name: texts.save[1], exact: true }).click()
  await page.getByRole('heading', { level: 1, name: 'Press 9' }).waitFor()
  const { body } = await staff.request('GET', `/api/machines/${machine.id}`)
  expect(body).toMatchObject({ name: 'Press 9', site_id: Number(places.site.split('/')[2]) })
  await page.unrouteAll({ behavior: 'ignoreErrors' })
})

test('a change of the language keeps what was filled in, also in a question that is open', async () => {
  await go(page, places.machine)
  const holds = page.locator('section[aria-labelledby=holds-title]')
  const settings = page.locator('section[aria-labelledby=settings-title]')
  await holds.locator('input[name=reason]').fill('금형 교체')
  await settings.getByRole('button', { name: texts.status_by_hand[1] }).click()
  await settings.locator('select[name=status]').selectOption('ERROR')
  await page.locator('.top-end select').first().selectOption('ko')
  await settings.getByRole('heading', { name: texts.status_by_hand[0] }).waitFor()
  expect(await holds.locator('input[name=reason]').inputValue()).toBe('금형 교체')
  expect(await settings.locator('select[name=status]').inputValue()).toBe('ERROR')
  const headings = await page.locator('h2, h3').allTextContents()
  expect(headings.filter((words) => !/\p{Script=Hangul}/u.test(words))).toEqual([])
  await page.locator('.top-end select').first().selectOption('en')
})

test('a screen that was left while it was read does not come back when the answers arrive', async () => {
  await go(page, places.machine)
  await page.locator('section[aria-labelledby=holds-title] .row').first().waitFor()
  const { promise: isReleased, resolve: release } = Promise.withResolvers<void>()
  const urls = [new RegExp(`/api/machines/${machine.id}$`), /\/holds\b/]
  const arrived = urls.map(async (url) => {
    const asked = page.waitForRequest((request) => request.method() === 'GET' && url.test(request.url()))
    await page.route(url, async (route) => {
      await isReleased
      await route.continue()
    })
    return asked
  })
  await staff.request('PATCH', `/api/machines/${machine.id}`, { body: { location: 'Hall 2' } })
  const requests = await Promise.all(arrived)
  await go(page, '#/nowhere')
  await page.locator('.empty').waitFor()
  release()
  for (const request of requests) await (await request.response())?.finished()
  await page.unrouteAll({ behavior: 'wait' })
  // By then, the page has read those answers, too.
  await go(page, places.me)
  await page.locator('section[aria-labelledby=sessions-title] .row').first().waitFor()
  expect(await page.locator('main .operate').count()).toBe(0)
})
