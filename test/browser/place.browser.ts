// The place of the user: what changes shows by itself, a lost connection shows within 5 s, and back and reload keep filters,
// scroll and the open machine.
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { texts } from '../../src/console/texts.ts'
import { type Person, startWorld, type World } from '../harness.ts'
import { type Browser, findChromium, startBrowser } from './chromium.ts'
import { fillHall, findIn, type Hall } from './hall.ts'
import { go, goToMachine, openConsole, shownWithinMs } from './visit.ts'

const lostWithinMs = 5_000

let world: World
let browser: Browser
let owner: Person
let hall: Hall
let page: Page
beforeAll(async () => {
  findChromium()
  world = await startWorld()
  browser = await startBrowser({ locale: 'en-US', viewport: { width: 390, height: 844 } })
  owner = await world.signUp()
  hall = await fillHall(world, owner, 27)
  page = await openConsole(browser, world, owner)
})
afterAll(async () => {
  await browser?.close()
  await world?.close()
})

test('the board shows a change by itself', async () => {
  await go(page, '#/')
  const card = page.locator('.card', { has: page.locator(`a[href="#/machines/${findIn(hall, 'ready')}"]`) })
  await card.waitFor()
  const placed = await owner.request('POST', `/api/machines/${findIn(hall, 'ready')}/holds`, {
    body: { reason: '청소' },
  })
  expect(placed.status).toBe(201)
  await card.getByText('청소').waitFor({ timeout: shownWithinMs })
})

test.each([
  ['the device is offline', () => browser.context.setOffline(true), () => browser.context.setOffline(false)],
  ['the server does not answer', () => page.route(/./, (route) => route.abort()), () => page.unrouteAll()],
])('when %s, this and the age of everything show within 5 s, and it recovers', async (_, lose, recover) => {
  await goToMachine(page, findIn(hall, 'running'))
  await page.locator(':root[data-connection=open]').waitFor()
  await lose()
  const lost = page.locator('.connection-lost', { hasText: texts.connection_lost[1] })
  await lost.waitFor({ timeout: lostWithinMs })
  expect(await lost.textContent()).toMatch(/Last answer (just now|\d+ s ago)/)
  await page.locator('.data-age', { hasText: /\d+ s ago/ }).waitFor({ timeout: lostWithinMs })
  expect(await page.locator(':root[data-connection=lost]').count()).toBe(1)
  await recover()
  await lost.waitFor({ state: 'detached', timeout: shownWithinMs })
  await page.locator('.data-age', { hasText: 'just now' }).waitFor({ timeout: shownWithinMs })
})

test('back, forward and reload keep the filters and the open machine', async () => {
  await go(page, '#/')
  await page.locator('select[name=status]').selectOption('ERROR')
  const cards = page.locator('.card')
  const areFiltered = () => expect.poll(() => cards.count(), { timeout: shownWithinMs }).toBe(3)
  await areFiltered()
  const href = await cards.nth(1).locator('a').first().getAttribute('href')
  await cards.nth(1).locator('.card-name a').click()
  await page.locator('.operate').waitFor()
  await page.goBack()
  await areFiltered()
  expect(await page.locator('select[name=status]').inputValue()).toBe('ERROR')
  await page.reload()
  await areFiltered()
  expect(await page.locator('select[name=status]').inputValue()).toBe('ERROR')
  await page.goForward()
  await page.locator('.operate').waitFor()
  await page.reload()
  await page.locator('.operate').waitFor()
  expect(new URL(page.url()).hash).toBe(href)
})

test('a link goes to the top of the next screen; back and reload return to where the page was', async () => {
  const top = async () => Number(await page.evaluate('Math.round(scrollY)'))
  const isAt = (wanted: number) => expect.poll(top, { timeout: shownWithinMs }).toBe(wanted)
  await go(page, '#/')
  const link = page.locator('.card-name a').nth(20)
  await link.scrollIntoViewIfNeeded()
  const place = await top()
  expect(place).toBeGreaterThan(1_000)
  await link.click()
  await page.locator('.operate').waitFor()
  await isAt(0)
  await page.goBack()
  await page.locator('.card').first().waitFor()
  await isAt(place)
  await page.reload()
  await page.locator('.card').first().waitFor()
  await isAt(place)
})

test('without a connection, the board is still there after a step back, and in the other language', async () => {
  await go(page, '#/')
  await page.locator('.card').first().waitFor()
  await go(page, '#/sites')
  await page.locator('.row-link').first().waitFor()
  await browser.context.setOffline(true)
  await page.goBack()
  await page.locator('.card').first().waitFor()
  await page.locator('.top-end select').first().selectOption('ko')
  await page.getByRole('heading', { level: 1, name: texts.board_title[0] }).waitFor()
  expect(await page.locator('.card').count()).toBe(hall.machines.length)
  expect(await page.locator('.data-age').count()).toBe(1)
  await browser.context.setOffline(false)
})
