// The place of the user: what changes shows by itself, and back and reload keep filters, scroll and the open machine.
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Person, startWorld, type World } from '../harness.ts'
import { type Browser, findChromium, startBrowser } from './chromium.ts'
import { fillHall, findIn, type Hall } from './hall.ts'
import { go, goToMachine, openConsole, shownWithinMs } from './visit.ts'

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

test('nothing moves under the mouse when the button that it has pressed goes away and the focus with it', async () => {
  await goToMachine(page, findIn(hall, 'starting'))
  const jobs = page.locator('section[aria-labelledby=history-title]')
  const heading = jobs.locator('h2')
  const cancel = jobs.locator('.job-row').first().getByRole('button').nth(1)
  await cancel.evaluate((element) =>
    element.ownerDocument.defaultView.scrollBy(0, element.getBoundingClientRect().top - 8),
  )
  const top = async () => (await heading.boundingBox())?.y
  expect(await top()).toBeLessThan(0)
  await cancel.click()
  await expect.poll(() => jobs.locator('h2:focus').count(), { timeout: shownWithinMs }).toBe(1)
  expect(await top()).toBeLessThan(0)
})
