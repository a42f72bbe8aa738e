// Every screen of the console by the rules of WCAG 2.2 AA, light on a desktop and dark on a phone; what moves; what is announced.
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { texts } from '../../src/console/texts.ts'
import { type Person, startWorld, type World } from '../harness.ts'
import { aPullMachine } from '../jobs/reporting.ts'
import { grant } from '../sites/places.ts'
import { findFaults } from './axe.ts'
import { type Browser, findChromium, startBrowser } from './chromium.ts'
import { conditions, fillHall, findIn, type Hall } from './hall.ts'
import { fillSignIn, go, goToMachine, openConsole, shownWithinMs } from './visit.ts'

const looks = [
  { colorScheme: 'light', viewport: { width: 1440, height: 900 } },
  { colorScheme: 'dark', viewport: { width: 390, height: 844 } },
] as const

let world: World
let browser: Browser
let staff: Person
let hall: Hall
let page: Page
beforeAll(async () => {
  findChromium()
  world = await startWorld()
  browser = await startBrowser({ locale: 'en-US' })
  staff = await world.signUpStaff()
  hall = await fillHall(world, staff, Object.keys(conditions).length)
  await grant(staff, hall.site.path, await world.signUp(), 'operator')
  page = await openConsole(browser, world, staff)
})
afterAll(async () => {
  await browser?.close()
  await world?.close()
})

async function expectNoFaults(of: Page): Promise<void> {
  const faults: string[] = []
  for (const { colorScheme, viewport } of looks) {
    await of.emulateMedia({ colorScheme })
    await of.setViewportSize(viewport)
    for (const fault of await findFaults(of)) faults.push(`${colorScheme}: ${fault}`)
  }
  expect(faults).toEqual([])
}

describe('without a session', () => {
  let gate: Page
  beforeAll(async () => {
    gate = await browser.context.newPage()
    await gate.goto(world.url)
  })
  afterAll(() => gate?.close())

  test.each([
    ['sign-in', '#/', 'input[name=username]'],
    ['sign-up', '#/sign-up', 'input[name=email]'],
    ['new password', '#/reset-password', 'input[name=reset_token]'],
  ])('%s', async (_, hash, shown) => {
    await go(gate, hash)
    await gate.locator(shown).waitFor()
    await expectNoFaults(gate)
  })

  test('a refused sign-in', async () => {
    await go(gate, '#/')
    await fillSignIn(gate, { username: staff.username, password: 'not this one' })
    await gate.locator('.problem').waitFor()
    await expectNoFaults(gate)
  })
})

describe('screens', () => {
  test.each([
    ['the board with machines in every condition', '#/', '.card'],
    ['the board without a match', '#/?q=nothing-has-this-name', '.empty'],
    ['the sites', '#/sites', '.row-link'],
    ['the own account', '#/me', 'section[aria-labelledby=sessions-title] .row'],
    ['the accounts', '#/accounts', '.row-actions'],
    ['the audit', '#/audit', '.row'],
    ['a new machine', '#/new-machine', 'select[name=site] option:nth-child(2)'],
    ['an address without a screen', '#/nowhere', '.empty'],
    ['a machine that is not there', '#/machines/999999', '.empty'],
  ])('%s', async (_, hash, shown) => {
    await go(page, hash)
    await page.locator(shown).first().waitFor({ state: 'attached' })
    await expectNoFaults(page)
  })

  test('a site and its members', async () => {
    await go(page, `#/sites/${hall.site.id}`)
    await page.locator('section[aria-labelledby=members-title] .row').first().waitFor()
    await expectNoFaults(page)
  })

  test.each(Object.keys(conditions) as (keyof typeof conditions)[])('a machine that is %s', async (condition) => {
    await goToMachine(page, findIn(hall, condition))
    await page.locator('section[aria-labelledby=holds-title] p:nth-of-type(2), .row').first().waitFor()
    await expectNoFaults(page)
  })

  test('the board of somebody without machines', async () => {
    const newcomer = await openConsole(browser, world, await world.signUp())
    await expectNoFaults(newcomer)
    await newcomer.close()
  })
})

describe('what opens', () => {
  test('START that is ready to be pressed', async () => {
    await goToMachine(page, findIn(hall, 'ready'))
    await page.locator('.check input').first().check()
    await page.locator('.start[aria-disabled=false]').waitFor()
    await expectNoFaults(page)
  })

  test('the timeline of a job', async () => {
    await goToMachine(page, findIn(hall, 'starting'))
    await page.locator('.job-toggle').first().click()
    await page.locator('.timeline').waitFor()
    await expectNoFaults(page)
  })

  test('the override of a hold of somebody else', async () => {
    const machine = findIn(hall, 'poweredOff')
    const colleague = await world.signUp()
    await grant(staff, `/api/machines/${machine}`, colleague, 'operator')
    const placed = await colleague.request('POST', `/api/machines/${machine}/holds`, { body: { reason: '점검' } })
    expect(placed.status).toBe(201)
    await goToMachine(page, machine)
    const holds = page.locator('section[aria-labelledby=holds-title]')
    await holds.locator('.button.is-danger').click()
    await holds.locator('.reveal input[name=reason]').waitFor()
    await expectNoFaults(page)
  })

  test('the question before one gives a role back, and what remains', async () => {
    const { id } = await world.createMachine(staff, { name: '사출기 12호' })
    const colleague = await world.signUp()
    await grant(staff, `/api/machines/${id}`, colleague, 'operator')
    const other = await openConsole(browser, world, colleague)
    await goToMachine(other, id)
    const members = other.locator('section[aria-labelledby=members-title]')
    await members.getByRole('button', { name: texts.leave[1] }).click()
    await members.getByRole('heading', { name: '사출기 12호' }).waitFor()
    await expectNoFaults(other)
    await members.locator('.reveal .is-danger').click()
    await other.getByText(texts.no_role[1]).waitFor()
    await expectNoFaults(other)
    await other.close()
  })

  test('a new key, and a button that wants a second press', async () => {
    await go(page, '#/me')
    const keys = page.locator('section[aria-labelledby=keys-title]')
    await keys.locator('input[name=name]').fill('게이트웨이')
    await keys.locator('button[type=submit]').click()
    await keys.locator('.secret').waitFor()
    await keys.locator('.row .is-danger').first().click()
    await keys.getByText(texts.confirm_again[1]).waitFor()
    await expectNoFaults(page)
  })
})

describe('problems', () => {
  test('a refused form', async () => {
    await go(page, '#/new-machine')
    await page.locator('input[name=name]').fill('x'.repeat(65))
    await page.locator('input[name=location]').fill('1공장')
    await page.locator('button[type=submit]').click()
    await page.locator('.problem-faults li').waitFor()
    await expectNoFaults(page)
  })

  test('a board that could not be read, and one that could not be read again', async () => {
    await go(page, '#/')
    await page.locator('.card').first().waitFor()
    await page.route(/\/api\/board/, (route) => route.fulfill({ status: 500, body: 'no' }))
    await page.locator('.connection-lost button').waitFor({ timeout: shownWithinMs })
    await expectNoFaults(page)
    await go(page, '#/?status=READY')
    await page.locator('.problem').waitFor({ timeout: shownWithinMs })
    await expectNoFaults(page)
    await page.unroute(/\/api\/board/)
  })

  test('a lost connection', async () => {
    await goToMachine(page, findIn(hall, 'running'))
    await browser.context.setOffline(true)
    await page.locator('.connection-lost').first().waitFor({ timeout: shownWithinMs })
    await expectNoFaults(page)
    await browser.context.setOffline(false)
    await page.locator('.connection-lost').first().waitFor({ state: 'detached', timeout: shownWithinMs })
  })
})

describe('with reduced motion', () => {
  /** The classes of what has an animation or a transition of more than 0.01 s. */
  const findMoving = (of: Page): Promise<string[]> =>
    of.evaluate(`document.getAnimations()
      .filter(({ effect }) => effect.getComputedTiming().activeDuration > 10)
      .map(({ effect }) => effect.target.className)`)

  test.each([
    ['reduce', 0],
    ['no-preference', 3],
  ] as const)('%s: %i of what is loading, waiting and pressed moves', async (reducedMotion, count) => {
    const moving = new Set<string>()
    const look = async () => {
      for (const each of await findMoving(page)) moving.add(each.split(' ')[0] ?? '')
    }
    await page.emulateMedia({ reducedMotion })
    await page.route(/\/api\/audit/, () => {})
    await page.route(/\/operation$/, (route) => route.abort()) // on a slow computer the press may last long enough
    await go(page, '#/audit')
    await page.locator('.skeleton').first().waitFor()
    await look()
    await goToMachine(page, findIn(hall, 'starting'))
    await page.locator('.spinner').first().waitFor()
    await look()
    await goToMachine(page, findIn(hall, 'ready'))
    await page.locator('.check input').first().check()
    await page.locator('.start[aria-disabled=false]').hover()
    await page.mouse.down()
    await page.locator('.start.is-pressed').waitFor()
    await look()
    await page.locator('.check input').first().hover() // away from the button, so nothing starts
    await page.mouse.up()
    await page.unrouteAll()
    await page.emulateMedia({ reducedMotion: 'no-preference' })
    expect([...moving]).toHaveLength(count)
  })
})

describe('announcements', () => {
  test('the live regions of an open machine say what has changed', async () => {
    const machine = await aPullMachine(world, staff)
    await machine.report({ status: 'READY', interval_seconds: 300 })
    await goToMachine(page, machine.id)
    // The same elements all the time: screen readers announce changes of elements that they know.
    const [polite, assertive] = await Promise.all(
      ['polite', 'assertive'].map((live) => page.locator(`p[aria-live=${live}]`).elementHandle()),
    )
    const says = (element: typeof polite, words: string) =>
      page.waitForFunction(
        ([each, expected]) => each?.isConnected && each.textContent?.includes(String(expected)),
        [element, words] as const,
        { timeout: shownWithinMs },
      )
    await says(polite, texts.status_READY[1])
    await machine.report({ status: 'RUNNING', interval_seconds: 300 })
    await says(polite, texts.status_RUNNING[1])
    const alarm = { code: 'E-204', text: 'Mould protection' }
    await machine.report({ status: 'ERROR', interval_seconds: 300, alarm })
    await says(assertive, `${texts.status_ERROR[1]}. ${alarm.text}`)
    expect(await polite?.textContent()).toBe('')
  })
})
