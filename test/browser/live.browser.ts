// The console moves by itself: what others change comes by the change feed, and by asking where there is no feed.
import { afterAll, beforeAll, onTestFinished, test } from 'vitest'
import { type Person, startWorld, type World } from '../harness.ts'
import { reporterOf } from '../jobs/reporting.ts'
import { open, shut } from '../platform/faults.ts'
import { type Browser, findChromium, startBrowser } from './chromium.ts'
import { openMachine, sayIn, signIn } from './console-pages.ts'

const say = sayIn('en')
let world: World
let owner: Person
beforeAll(async () => {
  findChromium()
  world = await startWorld()
  owner = await world.signUp()
})
afterAll(() => world?.close())

async function openBrowser(): Promise<Browser> {
  const browser = await startBrowser({ locale: 'en-US', viewport: { width: 1440, height: 900 } })
  onTestFinished(() => browser.close())
  return browser
}

const isFollowing = (browser: Browser) =>
  browser.context.waitForEvent('response', (response) => response.url().endsWith('/api/changes') && response.ok())

test('the board and the page of a machine show by themselves what others change, without asking again and again', async () => {
  const machine = await world.createMachine(owner, { name: 'Press 1' })
  const reporter = await reporterOf(world, owner, machine.id)
  const browser = await openBrowser()
  // No timer repeats anything, so only the feed can tell.
  await browser.context.addInitScript('setInterval = () => 0')
  let following = isFollowing(browser)
  const page = await signIn(browser, world, owner)
  await following
  await reporter.report({ status: 'RUNNING' })
  await page
    .locator('.status-word', { hasText: say('status_RUNNING') })
    .first()
    .waitFor()
  await owner.request('PATCH', `/api/machines/${machine.id}`, { body: { name: 'Press 2' } })
  await page.getByText('Press 2').first().waitFor()

  following = isFollowing(browser)
  await openMachine(page, world, machine)
  await page.reload()
  await following
  await reporter.report({ status: 'ERROR', alarm: { code: '204', text: 'Heater zone 2' } })
  await page.getByText('Heater zone 2').first().waitFor()
})

test('without Redis, the board asks every 5 s', async () => {
  const machine = await world.createMachine(owner, { name: 'Press 3' })
  world.faults.redis.pass = shut
  try {
    const page = await signIn(await openBrowser(), world, owner)
    await page.getByText('Press 3').first().waitFor()
    await owner.request('PATCH', `/api/machines/${machine.id}`, { body: { name: 'Press 4' } })
    await page.getByText('Press 4').first().waitFor()
  } finally {
    world.faults.redis.pass = open
  }
})
