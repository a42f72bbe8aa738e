// Pictures of the console for people to look at, in dist/screenshots/console: three sizes, two languages, light and dark, and a
// few on a 4K display. No screen may be wider than its window.
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Person, startWorld, type World } from '../harness.ts'
import { type Browser, findChromium, startBrowser } from './chromium.ts'
import { fillHall, findIn, type Hall } from './hall.ts'
import { go, goToMachine, openConsole, shownWithinMs } from './visit.ts'

const folder = join(import.meta.dirname, '../../dist/screenshots/console')

const sizes = {
  phone: { width: 360, height: 800 },
  tablet: { width: 820, height: 1180 },
  desktop: { width: 1440, height: 900 },
}
const large = { width: 3840, height: 2160 }
const languages = ['ko', 'en']
const themes = ['light', 'dark'] as const

let world: World
let browser: Browser
let owner: Person
let hall: Hall
let page: Page
beforeAll(async () => {
  findChromium()
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  world = await startWorld()
  browser = await startBrowser()
  owner = await world.signUp()
  hall = await fillHall(world, owner, 9)
  page = await openConsole(browser, world, owner)
})
afterAll(async () => {
  await browser?.close()
  await world?.close()
})

/** The language comes first: what is shown is made anew for it. */
async function take(name: string, of: Page, arrange: () => Promise<unknown>): Promise<void> {
  const wider: string[] = []
  for (const language of languages) {
    await of.locator('.top-end select').first().selectOption(language)
    await arrange()
    for (const [size, viewport] of Object.entries(sizes)) {
      await of.setViewportSize(viewport)
      const width = Number(await of.evaluate('document.documentElement.scrollWidth'))
      if (width > viewport.width) wider.push(`${language} ${size}: ${width} px`)
      for (const colorScheme of themes) {
        await of.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
        await of.screenshot({ path: join(folder, `${name}-${size}-${language}-${colorScheme}.png`) })
      }
    }
  }
  expect(wider).toEqual([])
}

/** One picture of a 4K display without scaling. */
async function takeLarge(name: string, of: Page): Promise<void> {
  await of.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' })
  await of.setViewportSize(large)
  expect(Number(await of.evaluate('document.documentElement.scrollWidth'))).toBe(large.width)
  await of.screenshot({ path: join(folder, `${name}-4k.png`) })
}

test.each([0, 1, 6, 100])('a board of %i machines', async (count) => {
  const person = await world.signUp()
  if (count > 0) await fillHall(world, person, count)
  const board = await openConsole(browser, world, person)
  await take(`board-${count}`, board, () => board.locator('.card, .empty').first().waitFor())
  if (count === 100) await takeLarge('board-100', board)
  await board.close()
})

test('the sign-in on a 4K display', async () => {
  const gate = await browser.context.newPage()
  await gate.goto(world.url)
  await gate.locator('input[name=username]').waitFor()
  await takeLarge('sign-in', gate)
  await gate.close()
})

test.each(['stale', 'held', 'error', 'starting'] as const)('a machine that is %s', async (condition) => {
  await take(`machine-${condition}`, page, () => goToMachine(page, findIn(hall, condition)))
  if (condition === 'error') await takeLarge(`machine-${condition}`, page)
})

test('a refused form', async () => {
  await take('problem', page, async () => {
    await go(page, '#/new-machine')
    await page.locator('input[name=name]').fill('x'.repeat(65))
    await page.locator('input[name=location]').fill('1공장')
    await page.locator('button[type=submit]').click()
    await page.locator('.problem').waitFor()
  })
})

test('without a connection', async () => {
  await take('offline', page, async () => {
    await browser.context.setOffline(false)
    await go(page, '#/')
    await page.locator('.card').first().waitFor({ timeout: shownWithinMs })
    await browser.context.setOffline(true)
    await page.locator('.connection-lost').first().waitFor({ timeout: shownWithinMs })
  })
  await browser.context.setOffline(false)
})
