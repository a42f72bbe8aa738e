// What people change at the console in a real browser: machines, jobs, accounts, roles and keys.
import type { Page, Route } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ErrorCode } from '../../src/kernel/error-codes.ts'
import { type Person, startWorld, type World } from '../harness.ts'
import { aPullMachine } from '../jobs/reporting.ts'
import { open } from '../platform/faults.ts'
import { createMachineIn, createSite, grant } from '../sites/places.ts'
import { type Browser, findChromium, startBrowser } from './chromium.ts'
import { openMachine, sayIn, signIn } from './console-pages.ts'
import { fillSignIn } from './visit.ts'

const say = sayIn('ko')

let world: World
let browser: Browser
let owner: Person
beforeAll(async () => {
  findChromium()
  world = await startWorld()
  browser = await startBrowser({ locale: 'ko-KR', viewport: { width: 390, height: 844 } })
  owner = await world.signUp()
})
afterAll(async () => {
  await browser?.close()
  await world?.close()
})

const readMachine = async ({ id }: { id: number }) => (await owner.request('GET', `/api/machines/${id}`)).body
const answerProblem = (route: Route, status: number, code: ErrorCode, detail: string) =>
  route.fulfill({ status, contentType: 'application/problem+json', body: JSON.stringify({ status, code, detail }) })
const settingsOf = (page: Page) => page.locator('section[aria-labelledby=settings-title]')

describe('a manager of a machine', () => {
  test('renames it and moves it to another site', async () => {
    const site = await createSite(owner, '2공장')
    const machine = await world.createMachine(owner)
    const page = await signIn(browser, world, owner)
    await openMachine(page, world, machine)
    const settings = settingsOf(page)
    await settings.locator('input[name=name]').fill('사출기 7호')
    await settings.locator('select[name=site]').selectOption({ label: '2공장' })
    await settings.getByRole('button', { name: say('save'), exact: true }).click()
    await page.getByRole('heading', { level: 1, name: '사출기 7호' }).waitFor()
    await settings.getByText(say('saved')).waitFor()
    expect(await readMachine(machine)).toMatchObject({ name: '사출기 7호', location: 'Hall 1', site_id: site.id })
    await page.close()
  })

  test('sets its status by hand, but not while it reports', async () => {
    const machine = await world.createMachine(owner)
    const page = await signIn(browser, world, owner)
    await openMachine(page, world, machine)
    await settingsOf(page)
      .getByRole('button', { name: say('status_by_hand') })
      .click()
    await settingsOf(page).locator('select[name=status]').selectOption('ERROR')
    await settingsOf(page)
      .getByRole('button', { name: say('set_status') })
      .click()
    await page.locator('.machine-status .status-word', { hasText: say('status_ERROR') }).waitFor()
    expect(await readMachine(machine)).toMatchObject({ status: 'ERROR', status_source: 'person' })
    const reporter = await aPullMachine(world, owner)
    await reporter.report({ status: 'READY', interval_seconds: 300 })
    await openMachine(page, world, reporter)
    await settingsOf(page).getByText(say('status_reported')).waitFor()
    expect(
      await settingsOf(page)
        .getByRole('button', { name: say('status_by_hand') })
        .count(),
    ).toBe(0)
    await page.close()
  })

  test('asks its controller now whether it is the right one; a refusal is shown', async () => {
    const machine = await world.createUnconfirmedMachine(owner)
    const page = await signIn(browser, world, owner)
    await openMachine(page, world, machine)
    const controller = page.locator('section[aria-labelledby=controller-title]')
    await controller.getByText(say('not_confirmed')).waitFor()
    await controller.getByRole('button', { name: say('check_now') }).click()
    await controller.getByText(say('not_confirmed')).waitFor({ state: 'detached' })
    expect(await readMachine(machine)).toMatchObject({ controller_confirmed_at: expect.any(String) })
    world.faults.controller.pass = async () => ({ status: 401 })
    await controller.getByRole('button', { name: say('check_now') }).click()
    await controller.getByText(say('problem_controller_refused')).waitFor()
    world.faults.controller.pass = open
    await page.close()
  })

  test('deletes it after a question that names it; a refusal is shown', async () => {
    const machine = await world.createMachine(owner, { name: '사출기 8호', status: 'RUNNING' })
    const page = await signIn(browser, world, owner)
    await openMachine(page, world, machine)
    const settings = settingsOf(page)
    await settings.getByRole('button', { name: say('delete_machine') }).click()
    await settings.getByRole('heading', { name: say('delete_machine_named', { name: '사출기 8호' }) }).waitFor()
    await settings.getByRole('button', { name: say('cancel') }).click()
    await settings.getByRole('button', { name: say('delete_machine') }).click()
    await settings.locator('.reveal button', { hasText: say('delete_machine') }).click()
    await settings.locator('.reveal .problem', { hasText: 'machine_running' }).waitFor()
    await owner.request('PATCH', `/api/machines/${machine.id}`, { body: { status: 'READY' } })
    await settings.locator('.reveal button', { hasText: say('delete_machine') }).click()
    await page.locator('.filters').waitFor()
    expect((await owner.request('GET', `/api/machines/${machine.id}`)).status).toBe(404)
    await page.close()
  })

  test('sees the names of people whose role is on the site', async () => {
    const operator = await world.signUp()
    const site = await createSite(owner, '5공장')
    await grant(owner, site.path, operator, 'operator')
    const machine = await createMachineIn(world, site, owner)
    await operator.request('POST', `/api/machines/${machine.id}/holds`, { body: { reason: '금형 교체' } })
    const page = await signIn(browser, world, owner)
    await openMachine(page, world, machine)
    await page.locator('section[aria-labelledby=holds-title] .person', { hasText: operator.username }).waitFor()
    await page.close()
  })

  test('alone sees its settings', async () => {
    const operator = await world.signUp()
    const machine = await world.createMachine(owner)
    await grant(owner, `/api/machines/${machine.id}`, operator, 'operator')
    const page = await signIn(browser, world, operator)
    await openMachine(page, world, machine)
    await page.locator('section[aria-labelledby=holds-title]').waitFor()
    expect(await settingsOf(page).count()).toBe(0)
    await page.close()
  })
})

describe('a job that has not been sent', () => {
  test.each(['the board', 'the list of jobs'])('is cancelled on %s', async (place) => {
    const machine = await aPullMachine(world, owner)
    await machine.report({ status: 'READY', interval_seconds: 300 })
    const { body: job } = await world.operate(owner, machine.id, 'START', 900)
    const page = await signIn(browser, world, owner)
    if (place !== 'the board') await openMachine(page, world, machine)
    const row =
      place === 'the board' ? page.locator('.card', { has: page.locator('.note-job') }) : page.locator('.job-row')
    await row.getByRole('button', { name: say('cancel_job') }).click()
    await world.waitForJob(owner, job.id, 'CANCELED')
    await row.getByRole('button', { name: say('cancel_job') }).waitFor({ state: 'detached' })
    await page.close()
  })

  test('shows no button to a viewer', async () => {
    const viewer = await world.signUp()
    const machine = await aPullMachine(world, owner)
    await grant(owner, `/api/machines/${machine.id}`, viewer, 'viewer')
    await machine.report({ status: 'READY', interval_seconds: 300 })
    await world.operate(owner, machine.id, 'START', 900)
    const page = await signIn(browser, world, viewer)
    await page.locator('.note-job').first().waitFor()
    await openMachine(page, world, machine)
    await page.locator('.job-row').waitFor()
    expect(await page.getByRole('button', { name: say('cancel_job') }).count()).toBe(0)
    // The API tells names to managers only.
    await page.locator('.job-row .person', { hasText: say('account_id', { id: owner.id }) }).waitFor()
    await page.close()
  })
})

async function leave(page: Page, name: string): Promise<void> {
  const members = page.locator('section[aria-labelledby=members-title]')
  await members.getByRole('button', { name: say('leave') }).click()
  await members.getByRole('heading', { name: say('leave_named', { name }) }).waitFor()
  await members.locator('.reveal button', { hasText: say('leave') }).click()
}

describe('a role', () => {
  test('is given as it was chosen, although the page reads everything again meanwhile, and has an end', async () => {
    const person = await world.signUp()
    const machine = await world.createMachine(owner)
    const page = await signIn(browser, world, owner)
    await openMachine(page, world, machine)
    const members = page.locator('section[aria-labelledby=members-title]')
    await members.locator('select[name=role]').selectOption('viewer')
    const path = `/api/machines/${machine.id}`
    for (const _ of ['the first', 'the second']) {
      await page.waitForResponse((response) => response.url().endsWith(path))
    }
    await members.locator('input[name=username]').fill(person.username)
    await members.locator('input[name=until]').fill('2036-11-27')
    await members.getByRole('button', { name: say('add_member') }).click()
    const row = members.locator('.row', { hasText: person.username })
    await row.getByText(say('role_viewer')).waitFor()
    await row.getByText(say('until', { date: '2036. 11. 27.' })).waitFor()
    const { items } = (await owner.request('GET', `${path}/members`)).body
    expect(items).toHaveLength(1)
    expect(items[0].role).toBe('viewer')
    expect(Date.parse(items[0].expires_at)).toBe(new Date(2036, 10, 27, 23, 59, 59).getTime())
    await page.close()
  })

  test('on a site is given back by whoever may not see the members', async () => {
    const viewer = await world.signUp()
    const site = await createSite(owner, '3공장')
    await grant(owner, site.path, viewer, 'viewer')
    const page = await signIn(browser, world, viewer)
    await page.goto(`${world.url}/#/sites/${site.id}`)
    await page.getByText(say('members_hidden')).waitFor()
    expect(await page.locator('.problem').count()).toBe(0)
    await leave(page, '3공장')
    await page.getByText(say('no_sites_title')).waitFor()
    expect((await viewer.request('GET', site.path)).status).toBe(404)
    await page.close()
  })

  test('on a machine without a site is given back; the page then shows the status alone', async () => {
    const operator = await world.signUp()
    const machine = await world.createMachine(owner, { name: '사출기 9호' })
    await grant(owner, `/api/machines/${machine.id}`, operator, 'operator')
    const page = await signIn(browser, world, operator)
    await openMachine(page, world, machine)
    await leave(page, '사출기 9호')
    await page.getByText(say('no_role')).waitFor()
    expect(await page.locator('.stop, .start, .history, .holds').count()).toBe(0)
    expect(await page.locator('h1:focus').textContent()).toBe('사출기 9호')
    const { body } = await operator.request('GET', `/api/machines/${machine.id}`)
    expect(body.my_role).toBe(null)
    await page.close()
  })

  test('on a machine of a site is given back; the board no longer shows the machine', async () => {
    const manager = await world.signUp()
    const site = await createSite(owner, '6공장')
    const machine = await world.createMachine(owner, { name: '사출기 10호', site_id: site.id })
    await grant(owner, `/api/machines/${machine.id}`, manager, 'manager')
    const page = await signIn(browser, world, manager)
    await openMachine(page, world, machine)
    await leave(page, '사출기 10호')
    await page.locator('.filters').waitFor()
    expect((await manager.request('GET', `/api/machines/${machine.id}`)).status).toBe(404)
    await page.close()
  })

  test('on a site is not given back at one of its machines, unless the machine gives a higher one', async () => {
    const viewer = await world.signUp()
    const site = await createSite(owner, '7공장')
    await grant(owner, site.path, viewer, 'viewer')
    const machine = await world.createMachine(owner, { name: '사출기 11호', site_id: site.id })
    const page = await signIn(browser, world, viewer)
    await openMachine(page, world, machine)
    const members = page.locator('section[aria-labelledby=members-title]')
    expect(await members.getByRole('link', { name: say('to_site') }).getAttribute('href')).toBe(`#/sites/${site.id}`)
    expect(await members.getByRole('button', { name: say('leave') }).count()).toBe(0)
    await grant(owner, `/api/machines/${machine.id}`, viewer, 'operator')
    await leave(page, '사출기 11호')
    await page.getByText(say('viewer_only')).waitFor()
    await members.getByRole('link', { name: say('to_site') }).waitFor()
    await page.close()
  })
})

test('a key has an end, and one that has ended says so', async () => {
  const person = await world.signUp()
  const page = await signIn(browser, world, person)
  await page.goto(`${world.url}/#/me`)
  const keys = page.locator('section[aria-labelledby=keys-title]')
  await keys.locator('input[name=name]').fill('MES')
  await keys.locator('input[name=until]').fill('2036-11-27')
  await keys.getByRole('button', { name: say('new_key') }).click()
  await keys.getByText(say('until', { date: '2036. 11. 27.' })).waitFor()
  const [key] = (await person.request('GET', '/api/keys')).body.items
  expect(Date.parse(key.expires_at)).toBe(new Date(2036, 10, 27, 23, 59, 59).getTime())
  const past = new Date(2026, 0, 31, 23, 59, 59).toISOString()
  await world.postgres.query('UPDATE keys SET created_at = $2, expires_at = $2 WHERE id = $1', [key.id, past])
  await page.reload()
  await keys.getByText(say('ended', { date: '2026. 1. 31.' })).waitFor()
  await page.close()
})

test('a STOP that is refused says why', async () => {
  const machine = await world.createMachine(owner)
  const page = await signIn(browser, world, owner)
  await openMachine(page, world, machine)
  await page.route('**/operation', (route) => answerProblem(route, 403, 'role_too_low', 'Operators and managers may.'))
  await page.locator('.stop').click()
  await page.locator('.stop-failed').getByText(say('problem_role_too_low')).waitFor()
  await page.close()
})

describe('a STOP that has failed', () => {
  const refuse = (route: Route) => answerProblem(route, 403, 'role_too_low', 'Operators and managers may.')

  async function pressStop(answer: (route: Route) => Promise<void>) {
    const person = await world.signUp()
    const machine = await world.createMachine(person)
    const page = await signIn(browser, world, person)
    await page.route('**/operation', answer)
    const stop = page.locator('.card', { has: page.locator(`a[href="#/machines/${machine.id}"]`) }).locator('.stop')
    await stop.click()
    return { person, machine, page, stop }
  }

  async function changeUser(page: Page) {
    await page.getByRole('button', { name: say('sign_out') }).click()
    await fillSignIn(page, owner)
    await page.locator('.card').first().waitFor()
  }

  /** Lets the first STOP fail only when this is called, and waits until the page has seen it. */
  function refuseLater() {
    const { promise, resolve } = Promise.withResolvers<void>()
    let count = 0
    const answer = async (route: Route) => {
      count += 1
      if (count > 1) return route.fulfill({ status: 202, contentType: 'application/json', body: '{}' })
      await promise
      await refuse(route)
    }
    const fail = async (page: Page) => {
      const refused = page.waitForResponse((response) => response.status() === 403)
      resolve()
      await (await refused).finished()
      await page.waitForResponse((response) => response.url().includes('/api/board')) // later than the page's answer to it
    }
    return { answer, fail }
  }

  test('is made up for by a later one of somebody else', async () => {
    const { person, machine, page } = await pressStop(refuse)
    await page.locator('.stop-failed').waitFor()
    await world.operate(person, machine.id, 'STOP')
    await openMachine(page, world, machine)
    await page.locator('.operate .job').getByText(say('requested_STOP')).waitFor()
    await page.locator('.stop-failed').waitFor({ state: 'detached' })
    await page.close()
  })

  test('says nothing of one that was pressed after it', async () => {
    const { answer, fail } = refuseLater()
    const { page, stop } = await pressStop(answer)
    await stop.click()
    await stop.getByText(say('stop'), { exact: true }).waitFor()
    await fail(page)
    expect(await page.locator('.stop-failed').count()).toBe(0)
    await page.close()
  })

  test('is not shown to the next user of the page', async () => {
    const { page } = await pressStop(refuse)
    await page.locator('.stop-failed').waitFor()
    await changeUser(page)
    expect(await page.locator('.stop-failed').count()).toBe(0)
    await page.close()
  })

  test('is not shown to the next user of the page, also if it fails only then', async () => {
    const { answer, fail } = refuseLater()
    const { page } = await pressStop(answer)
    await changeUser(page)
    await fail(page)
    expect(await page.locator('.stop-failed').count()).toBe(0)
    await page.close()
  })
})

describe('a problem', () => {
  test('has Korean words; the text of the API follows where it has numbers', async () => {
    const person = await world.signUp()
    const page = await signIn(browser, world, person)
    await page.route('**/api/sites', async (route) => {
      if (route.request().method() !== 'POST') return route.continue()
      await answerProblem(route, 409, 'quota_exceeded', 'An account may create 50 sites.')
    })
    await page.goto(`${world.url}/#/sites`)
    await page.locator('input[name=name]').fill('4공장')
    await page.getByRole('button', { name: say('new_site') }).click()
    const problem = page.locator('.problem')
    await problem.locator('.problem-main', { hasText: say('problem_quota_exceeded') }).waitFor()
    await problem.locator('.problem-detail', { hasText: 'An account may create 50 sites.' }).waitFor()
    await page.close()
  })

  test('names the field that is not valid as its label does', async () => {
    const person = await world.signUp()
    const page = await signIn(browser, world, person)
    await page.goto(`${world.url}/#/sites`)
    await page.locator('input[name=name]').fill('a'.repeat(65))
    await page.getByRole('button', { name: say('new_site') }).click()
    const problem = page.locator('.problem')
    await problem.locator('.problem-main', { hasText: say('problem_validation_failed') }).waitFor()
    await problem.locator('.problem-faults strong', { hasText: say('name') }).waitFor()
    expect(await problem.locator('.problem-detail').count()).toBe(0)
    await page.close()
  })
})

test('where nobody can sign up, the page says so, and offers it no more', async () => {
  await world.reconfigure({ SIGN_UP: 'closed' })
  const page = await browser.context.newPage()
  await page.goto(`${world.url}/#/sign-up`)
  await page.locator('input[name=username]').fill('minji')
  await page.locator('input[name=email]').fill('minji@example.com')
  await page.locator('input[name=password]').fill('tie-bar-spacing-470')
  await page.getByRole('button', { name: say('sign_up'), exact: true }).click()
  await page
    .getByRole('alert')
    .filter({ hasText: say('problem_sign_up_closed') })
    .waitFor()
  expect(await page.locator('form').count()).toBe(0)
  await page.getByRole('link', { name: say('to_sign_in') }).click()
  await page.locator('input[name=username]').waitFor()
  expect(await page.getByRole('link', { name: say('to_sign_up') }).count()).toBe(0)
  await page.close()
  await world.reconfigure({})
})

describe('an account', () => {
  test('downloads what is stored of it, and is deleted with its password', async () => {
    const person = await world.signUp()
    const page = await signIn(browser, world, person)
    await page.goto(`${world.url}/#/me`)
    const panel = page.locator('section[aria-labelledby=my-data-title]')
    const downloading = page.waitForEvent('download')
    await panel.getByRole('button', { name: say('export_data') }).click()
    const download = await downloading
    expect(download.suggestedFilename()).toBe('tiebar-export.json')
    const chunks: Buffer[] = []
    for await (const chunk of await download.createReadStream()) chunks.push(chunk)
    expect(JSON.parse(Buffer.concat(chunks).toString()).account).toMatchObject({ username: person.username })

    await panel.getByRole('button', { name: say('delete_account') }).click()
    const remove = async (password: string) => {
      await panel.locator('input[name=current_password]').fill(password)
      await panel.locator('.reveal button[type=submit]').click()
    }
    await remove('not this password')
    await panel.locator('.problem', { hasText: 'wrong_password' }).waitFor()
    await remove(person.password)
    await page.getByText(say('account_deleted')).waitFor()
    const { username, password } = person
    expect((await world.request('POST', '/api/log-in', { body: { username, password } })).status).toBe(401)
    await page.close()
  })

  test('gets staff rights from staff with the password of the one who grants them, and loses them', async () => {
    const staff = await world.signUpStaff()
    const person = await world.signUp()
    const isStaff = async () =>
      (await staff.request('GET', `/api/accounts?q=${person.username}`)).body.items.map(
        (user: { is_staff: boolean }) => user.is_staff,
      )
    const page = await signIn(browser, world, staff)
    await page.goto(`${world.url}/#/accounts?q=${person.username}`)
    const row = page.locator('.row', { hasText: person.username })
    await row.getByRole('button', { name: say('make_staff') }).click()
    await row.locator('input[name=current_password]').fill(staff.password)
    await row.locator('.reveal button[type=submit]').click()
    const revoke = row.getByRole('button', { name: say('revoke_staff') })
    await revoke.waitFor()
    expect(await isStaff()).toEqual([true])
    await revoke.click()
    await row.getByRole('button', { name: say('confirm_again') }).click()
    await row.getByRole('button', { name: say('make_staff') }).waitFor()
    expect(await isStaff()).toEqual([false])
    await page.close()
  })
})
