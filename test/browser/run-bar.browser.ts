// The bar of the last 24 hours, and its legend, which is what screen readers read.
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Person, startWorld, type World } from '../harness.ts'
import { aPullMachine, type Reporter } from '../jobs/reporting.ts'
import { findChromium, startBrowser } from './chromium.ts'
import { openMachine, sayIn, signIn } from './console-pages.ts'

let world: World
let owner: Person
beforeAll(async () => {
  findChromium()
  world = await startWorld()
  owner = await world.signUp()
})
afterAll(() => world?.close())

/** A machine that runs and reports now, and has had these statuses. */
async function aMachineWith(rows: [hoursAgo: number, status: string | null][]): Promise<Reporter> {
  const machine = await aPullMachine(world, owner)
  await machine.report({ status: 'RUNNING', interval_seconds: 300 })
  await world.postgres.query('DELETE FROM machine_statuses WHERE machine_id = $1', [machine.id])
  for (const [hoursAgo, status] of rows) {
    await world.postgres.query(
      `INSERT INTO machine_statuses (machine_id, at, status, source)
        VALUES ($1, now() - make_interval(hours => $2), $3, 'report')`,
      [machine.id, hoursAgo, status],
    )
  }
  return machine
}

/** The parts, with their length in hours. */
async function readBar(page: Page): Promise<string[]> {
  await page.locator('.bar-part').first().waitFor()
  const parts = await page.locator('.bar-part').all()
  return Promise.all(
    parts.map(async (part) => {
      const name = (await part.getAttribute('class'))?.replace('bar-part bar-', '')
      return `${name} ${Math.round(Number(await part.getAttribute('width')) / 60)}`
    }),
  )
}

/** The requests for statuses, from now on. */
function collectReads(page: Page): URL[] {
  const reads: URL[] = []
  page.on('request', (request) => {
    const url = new URL(request.url())
    if (url.pathname.endsWith('/statuses')) reads.push(url)
  })
  return reads
}

const legendOf = async (page: Page) =>
  (await page.locator('.legend li').allTextContents()).map((line) => line.trim().replaceAll(/\s+/g, ' '))

describe.each(['ko', 'en'] as const)('in %s', (language) => {
  const say = sayIn(language)

  test('the bar shows the statuses that the machine had and its silence, and then what it reports', async () => {
    const browser = await startBrowser({ locale: language === 'ko' ? 'ko-KR' : 'en-US' })
    try {
      const machine = await aMachineWith([
        [20, 'READY'],
        [12, null],
        [7, 'RUNNING'],
      ])
      const page = await signIn(browser, world, owner)
      const reads = collectReads(page)
      await openMachine(page, world, machine)
      expect(await readBar(page)).toEqual(['unknown 4', 'READY 8', 'stale 5', 'RUNNING 7'])
      const lasts = (h: number) => (h === 0 ? say('duration_minutes', { m: 0 }) : say('duration', { h, m: 0 }))
      expect(await legendOf(page)).toEqual([
        `${say('status_RUNNING')} ${lasts(7)}`,
        `${say('status_READY')} ${lasts(8)}`,
        `${say('status_PENDING')} ${lasts(0)}`,
        `${say('status_ERROR')} ${lasts(0)}`,
        `${say('status_POWEROFF')} ${lasts(0)}`,
        `${say('status_stale')} ${lasts(5)}`,
        `${say('bar_unknown')} ${lasts(4)}`,
      ])

      await machine.report({ status: 'ERROR', interval_seconds: 300 })
      await page.locator('.bar-part.bar-ERROR').waitFor()
      expect(await readBar(page)).toEqual(['unknown 4', 'READY 8', 'stale 5', 'RUNNING 7', 'ERROR 0'])
      // The page asks for what is new since the last status that it has.
      const { items } = (await owner.request('GET', `/api/machines/${machine.id}/statuses`)).body
      expect(reads.map(({ searchParams }) => searchParams.get('from'))).toContain(items[1].at)
      await page.close()
    } finally {
      await browser.close()
    }
  })
})

test('a machine that has been silent for hours is grey for these hours, whatever somebody says of it', async () => {
  const browser = await startBrowser()
  try {
    const machine = await aMachineWith([[30, 'RUNNING']])
    await world.postgres.query(
      "UPDATE machine_reports SET at = now() - interval '6 hours 15 minutes' WHERE machine_id = $1",
      [machine.id],
    )
    await owner.request('PATCH', `/api/machines/${machine.id}`, { body: { status: 'READY' } })
    const page = await signIn(browser, world, owner)
    await openMachine(page, world, machine)
    expect(await readBar(page)).toEqual(['RUNNING 18', 'stale 6'])
    await page.close()
  } finally {
    await browser.close()
  }
})

test('a machine that changes its status often is shown for the whole time', async () => {
  const browser = await startBrowser()
  try {
    const machine = await aMachineWith([])
    await world.postgres.query(
      `INSERT INTO machine_statuses (machine_id, at, status, source)
        SELECT $1, now() - (n * 6 - 3) * interval '1 minute', CASE n % 2 WHEN 0 THEN 'READY' ELSE 'RUNNING' END, 'report'
        FROM generate_series(1, 250) n`,
      [machine.id],
    )
    const page = await signIn(browser, world, owner)
    const reads = collectReads(page)
    await openMachine(page, world, machine)
    const bar = await readBar(page)
    expect(bar).toHaveLength(241)
    expect(bar.filter((part) => part.startsWith('unknown'))).toEqual([])
    expect(reads.filter(({ searchParams }) => searchParams.has('cursor')).length).toBeGreaterThanOrEqual(2)
    await page.close()
  } finally {
    await browser.close()
  }
})
