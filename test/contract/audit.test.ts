// Audit events: every changing operation of the document writes those of its line here, or its line says why it writes none.
import { beforeAll, describe, expect, test } from 'vitest'
import { makeKey } from '../accounts/people.ts'
import type { Answer, Person, TestMachine, World } from '../harness.ts'
import { useQuietWorld } from '../shared-world.ts'
import { createSite, grant, type Site } from '../sites/places.ts'
import { endpoints, takesOutcome } from './endpoints.ts'

type AuditEvent = {
  id: number
  at: string
  actor: number | null
  key_id: string | null
  action: string
  subject: string
  before: Record<string, unknown> | null
  after: Record<string, unknown> | null
}
type Expected = Pick<AuditEvent, 'action' | 'subject' | 'before' | 'after'>
/** Makes the change. @returns what it must have recorded, and by whom if not by the owner */
type Walk = () => Promise<{ events: Expected[]; actor?: Person }>

let world: World
let owner: Person
let staff: Person
let machine: TestMachine
let site: Site
beforeAll(async () => {
  world = await useQuietWorld()
  ;[owner, staff] = await Promise.all([world.signUp(), world.signUpStaff()])
  machine = await world.createMachine(owner)
  site = await createSite(owner)
})

async function readAll(): Promise<AuditEvent[]> {
  const rows = await world.postgres.query(
    'SELECT id::float8, actor, key_id, action, subject, before, after FROM audit_events ORDER BY id',
  )
  return rows as AuditEvent[] // the columns of the query
}

const succeed = async (sending: Promise<Answer>): Promise<Answer> => {
  const answer = await sending
  expect([answer.status, answer.body?.code]).toEqual([expect.toSatisfy((status) => status < 300), undefined])
  return answer
}
const event = (
  action: string,
  subject: string,
  values: Partial<Pick<Expected, 'before' | 'after'>> = {},
): Expected => ({
  action,
  subject,
  before: null,
  after: null,
  ...values,
})
const own = 'only details of the own account, which are not stored in events'
const session = 'only a session of the caller'
const report = 'what a machine says is no change of a right or a setting; machine.status is a change by hand'
const job = 'the history of the machine has every command'
const callback = 'a callback: the history of the machine has it'

const settings = (each: TestMachine, overrides: Record<string, unknown> = {}) => ({
  owner_id: owner.id,
  site_id: null,
  status: 'READY',
  controller_url: each.url,
  ...overrides,
})
const member = (account: Person, role: string) => ({ account_id: account.id, role, expires_at: null })

function membersOf(kind: 'site' | 'machine'): { put: Walk; remove: Walk } {
  const place = () => (kind === 'site' ? site : { id: machine.id, path: `/api/machines/${machine.id}` })
  return {
    put: async () => {
      const other = await world.signUp()
      const subject = `${kind}:${place().id}`
      for (const role of ['viewer', 'operator', 'operator'] as const)
        await succeed(grant(owner, place().path, other, role))
      const [before, after] = [member(other, 'viewer'), member(other, 'operator')]
      return {
        events: [event('member.add', subject, { after: before }), event('member.change', subject, { before, after })],
      }
    },
    remove: async () => {
      const other = await world.signUp()
      await grant(owner, place().path, other, 'viewer')
      await succeed(other.request('DELETE', `${place().path}/members/${other.id}`))
      const subject = `${kind}:${place().id}`
      const role = member(other, 'viewer')
      return { events: [event('member.remove', subject, { before: role })], actor: other }
    },
  }
}

const walks: Record<string, string | Walk> = {
  signUp: 'nobody has given or taken a right: the account has none',
  logIn: session,
  logOut: session,
  refreshToken: session,
  endSession: session,
  changeMe: own,
  changePassword: own,
  deleteMe: async () => {
    const person = await world.signUp()
    await grant(owner, site.path, person, 'viewer')
    await grant(owner, `/api/machines/${machine.id}`, person, 'operator')
    const [key, revoked] = [await makeKey(world, person, { machine_id: machine.id }), await makeKey(world, person)]
    await succeed(person.request('DELETE', `/api/keys/${revoked.id}`))
    await succeed(person.request('DELETE', '/api/me', { body: { current_password: person.password } }))
    return {
      events: [
        event('key.revoke', `key:${revoked.id}`), // before the deletion
        event('account.delete', `account:${person.id}`),
        event('member.remove', `site:${site.id}`, { before: member(person, 'viewer') }),
        event('member.remove', `machine:${machine.id}`, { before: member(person, 'operator') }),
        event('key.revoke', `key:${key.id}`),
      ],
      actor: person,
    }
  },
  createAccount: async () => {
    const username = `audit-${crypto.randomUUID()}`
    const { body } = await succeed(
      staff.request('POST', '/api/accounts', { body: { username, email: `${username}@example.com` } }),
    )
    return { events: [event('account.add', `account:${body.user.id}`)], actor: staff }
  },
  changeAccountRights: async () => {
    const person = await world.signUp()
    const change = (body: object) => succeed(staff.request('PATCH', `/api/accounts/${person.id}`, { body }))
    await change({ is_staff: true, current_password: staff.password })
    await change({ is_staff: true }) // changes nothing
    await change({ is_active: false, is_staff: false })
    const subject = `account:${person.id}`
    const [plain, granted] = [
      { is_active: true, is_staff: false },
      { is_active: true, is_staff: true },
    ]
    return {
      events: [
        event('account.rights', subject, { before: plain, after: granted }),
        event('account.rights', subject, { before: granted, after: { is_active: false, is_staff: false } }),
      ],
      actor: staff,
    }
  },
  issuePasswordReset: async () => {
    const person = await world.signUp()
    await succeed(staff.request('POST', `/api/accounts/${person.id}/password-reset`))
    return { events: [event('account.reset_issue', `account:${person.id}`)], actor: staff }
  },
  resetPassword: async () => {
    const person = await world.signUp()
    const { body } = await staff.request('POST', `/api/accounts/${person.id}/password-reset`)
    await succeed(
      world.request('POST', '/api/password-reset', {
        body: { reset_token: body.reset_token, new_password: 'eleven barrels of steel' },
      }),
    )
    return { events: [event('account.reset_use', `account:${person.id}`)], actor: person }
  },
  createKey: async () => {
    const key = await makeKey(world, owner, { scopes: ['read', 'stop'], machine_id: machine.id })
    const after = { scopes: ['read', 'stop'], machine_id: machine.id, site_id: null, expires_at: null }
    return { events: [event('key.add', `key:${key.id}`, { after })] }
  },
  revokeKey: async () => {
    const key = await makeKey(world, owner)
    await succeed(owner.request('DELETE', `/api/keys/${key.id}`))
    return { events: [event('key.revoke', `key:${key.id}`)] }
  },
  createSite: async () => {
    const { id } = await createSite(owner)
    return { events: [event('site.add', `site:${id}`)] }
  },
  changeSite: async () => {
    for (const name of ['2공장', '2공장']) await succeed(owner.request('PATCH', site.path, { body: { name } }))
    return { events: [event('site.rename', `site:${site.id}`)] }
  },
  deleteSite: async () => {
    const { id, path } = await createSite(owner)
    await succeed(owner.request('DELETE', path))
    return {
      events: [
        event('site.delete', `site:${id}`),
        event('member.remove', `site:${id}`, { before: member(owner, 'manager') }),
      ],
    }
  },
  putSiteMember: membersOf('site').put,
  removeSiteMember: membersOf('site').remove,
  putMachineMember: membersOf('machine').put,
  removeMachineMember: membersOf('machine').remove,
  createMachine: async () => {
    const made = await world.createUnconfirmedMachine(owner)
    return { events: [event('machine.add', `machine:${made.id}`, { after: settings(made) })] }
  },
  replaceMachine: async () => {
    const made = await world.createMachine(owner)
    const body = { name: 'New', location: 'New', status: 'POWEROFF', controller_url: null }
    await succeed(owner.request('PUT', `/api/machines/${made.id}`, { body }))
    await succeed(owner.request('PUT', `/api/machines/${made.id}`, { body: { ...body, name: 'Newer' } }))
    const subject = `machine:${made.id}`
    return {
      events: [
        event('machine.status', subject, { before: { status: 'READY' }, after: { status: 'POWEROFF' } }),
        event('machine.controller', subject, {
          before: { controller_url: made.url },
          after: { controller_url: null },
        }),
      ],
    }
  },
  changeMachine: async () => {
    const made = await world.createMachine(owner)
    await succeed(owner.request('PATCH', `/api/machines/${made.id}`, { body: { site_id: site.id, name: 'Moved' } }))
    const values = { before: { site_id: null }, after: { site_id: site.id } }
    return { events: [event('machine.site', `machine:${made.id}`, values)] }
  },
  deleteMachine: async () => {
    const made = await world.createMachine(owner)
    await succeed(owner.request('DELETE', `/api/machines/${made.id}`))
    return { events: [event('machine.delete', `machine:${made.id}`, { before: settings(made) })] }
  },
  checkController: 'the controller has confirmed what machine.controller tells',
  placeHold: async () => {
    const made = await world.createMachine(owner)
    const { body } = await succeed(
      owner.request('POST', `/api/machines/${made.id}/holds`, { body: { reason: '금형' } }),
    )
    return { events: [event('hold.place', `machine:${made.id}`, { after: { hold_id: body.id } })] }
  },
  removeHold: async () => {
    const made = await world.createMachine(owner)
    const path = `/api/machines/${made.id}/holds`
    const { body } = await owner.request('POST', path, { body: { reason: '금형' } })
    await succeed(owner.request('DELETE', `${path}/${body.id}`))
    return { events: [event('hold.remove', `machine:${made.id}`, { after: { hold_id: body.id } })] }
  },
  overrideHold: async () => {
    const made = await world.createMachine(owner)
    const path = `/api/machines/${made.id}/holds`
    const { body } = await owner.request('POST', path, { body: { reason: '금형' } })
    const sure = { reason: 'nobody is there', absence_verified: true, contact_tried: true }
    for (const _ of [1, 2]) await succeed(owner.request('POST', `${path}/${body.id}/override`, { body: sure }))
    return { events: [event('hold.override', `machine:${made.id}`, { after: { hold_id: body.id } })] }
  },
  operateMachine: async () => {
    const stranger = await world.signUp()
    for (const command of ['START', 'START', 'STOP'] as const)
      expect((await world.operate(stranger, machine.id, command)).status).toBe(403)
    const viewer = await world.signUp()
    await grant(owner, site.path, viewer, 'viewer')
    const hidden = await world.createMachine(owner, { site_id: site.id })
    expect((await world.operate(stranger, hidden.id, 'STOP')).status).toBe(404)
    const refusal = (command: string, reason: string, { id } = machine) =>
      event('operation.refuse', `machine:${id}`, { after: { command, reason } })
    return {
      events: [refusal('START', 'not_owner'), refusal('STOP', 'not_owner'), refusal('STOP', 'not_found', hidden)],
      actor: stranger,
    }
  },
  cancelJob: job,
  deliverJob: callback,
  handleFailedJob: callback,
  reportOutcome: callback,
  reportMachine: report,
  reportMachinesOfSite: report,
}

const changing = endpoints.filter(({ method }) => method !== 'GET')

test('every changing operation of the document has a line', () => {
  const names = changing.map(({ operation }) => operation.operationId)
  expect(Object.keys(walks).toSorted()).toEqual(names.toSorted())
  expect(changing.filter(({ operation }) => takesOutcome(operation)).length).toBe(1)
})

const walked = Object.entries(walks).flatMap(([name, walk]) =>
  typeof walk === 'string' ? [] : [[name, walk] as const],
)

describe('an event', () => {
  test.each(walked)('%s', async (_name, walk) => {
    const last = (await readAll()).at(-1)?.id ?? 0
    const { events, actor = owner } = await walk()
    const subjects = new Set(events.map(({ subject }) => subject))
    const stored = (await readAll()).filter(({ id, subject, action }) => {
      return id > last && subjects.has(subject) && events.some((each) => each.action === action)
    })
    expect(stored.map(({ action, subject, before, after }) => ({ action, subject, before, after }))).toEqual(events)
    for (const each of stored) expect([Number(each.actor), each.key_id]).toEqual([actor.id, null])
  })

  test('names the key with which the change was made, and its account', async () => {
    const key = await makeKey(world, owner)
    const made = await world.createMachine(owner)
    await succeed(key.request('PATCH', `/api/machines/${made.id}`, { body: { status: 'ERROR' } }))
    const { body } = await owner.request('GET', `/api/audit?subject=machine:${made.id}&action=machine.status`)
    expect(body.items).toEqual([
      {
        id: expect.any(Number),
        at: expect.stringMatching(/Z$/),
        actor: owner.id,
        key_id: key.id,
        action: 'machine.status',
        subject: `machine:${made.id}`,
        before: { status: 'READY' },
        after: { status: 'ERROR' },
      },
    ])
  })

  test('has times as the rest of the API has them', async () => {
    const expires_at = new Date(Date.now() + 3_600_000).toISOString()
    const other = await world.signUp()
    const { body: granted } = await grant(owner, site.path, other, 'viewer', expires_at)
    const key = await makeKey(world, owner, { site_id: site.id, expires_at })
    for (const [subject, action, after] of [
      [`site:${site.id}`, 'member.add', { account_id: other.id, role: 'viewer', expires_at: granted.expires_at }],
      [
        `key:${key.id}`,
        'key.add',
        { scopes: key.body.scopes, machine_id: null, site_id: site.id, expires_at: key.body.expires_at },
      ],
    ] as const) {
      const { body } = await owner.request('GET', `/api/audit?subject=${subject}&action=${action}&limit=1`)
      expect(body.items).toMatchObject([{ after }])
      const { body: exported } = await owner.request('GET', '/api/me/export')
      expect(exported.changes).toContainEqual(body.items[0])
    }
  })

  test('of a change that was refused does not exist', async () => {
    const made = await world.createMachine(owner)
    const countEvents = async () => (await readAll()).filter(({ subject }) => subject === `machine:${made.id}`).length
    const before = await countEvents()
    const stranger = await world.signUp()
    const path = `/api/machines/${made.id}`
    await stranger.request('PATCH', path, { body: { status: 'ERROR' } })
    await stranger.request('DELETE', path)
    await grant(stranger, path, stranger, 'manager')
    await owner.request('PATCH', path, { body: { status: 'ERROR' }, headers: { 'If-Match': '"99"' } })
    await grant(owner, path, staff, 'viewer')
    expect(await countEvents()).toBe(before)
  })

  test('cannot be changed or deleted', async () => {
    const one = 'WHERE id = (SELECT min(id) FROM audit_events)'
    for (const query of [
      `UPDATE audit_events SET actor = NULL ${one}`,
      `DELETE FROM audit_events ${one}`,
      'TRUNCATE audit_events',
    ])
      await expect(world.postgres.query(query)).rejects.toThrow('audit events are append-only')
  })

  test('has no secret, name or e-mail address', async () => {
    const key = await makeKey(world, owner)
    const text = JSON.stringify(await readAll())
    for (const secret of [key.secret, key.secret.slice(-20), owner.username, owner.email, owner.password, '2공장'])
      expect(text).not.toContain(secret)
  })
})

describe('GET /api/audit', () => {
  const list = (person: Person, query: Record<string, string | number> = {}) =>
    person.request(
      'GET',
      `/api/audit?${new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]))}`,
    )
  const subjectsOf = ({ body }: Answer): string[] => body.items.map(({ subject }: AuditEvent) => subject)

  test('shows a manager the events of her machines and sites, also of a deleted machine, and of the keys limited to them', async () => {
    const [person, manager, viewer, stranger] = await Promise.all([
      world.signUp(),
      world.signUp(),
      world.signUp(),
      world.signUp(),
    ])
    const place = await createSite(person)
    const inSite = await world.createMachine(person, { site_id: place.id })
    const single = await world.createMachine(person)
    const deleted = await world.createMachine(person)
    await person.request('DELETE', `/api/machines/${deleted.id}`)
    const key = await makeKey(world, person, { scopes: ['read'], machine_id: inSite.id })
    await makeKey(world, person, { scopes: ['read'] })
    await grant(person, place.path, manager, 'manager')
    await grant(person, place.path, viewer, 'viewer')
    const [ofSite, ofMachine, ofKey] = [`site:${place.id}`, `machine:${inSite.id}`, `key:${key.id}`]
    const seen = async (each: Person) => [...new Set(subjectsOf(await list(each, { limit: 100 })))].toSorted()
    expect(await seen(person)).toEqual(
      [ofSite, ofMachine, ofKey, `machine:${single.id}`, `machine:${deleted.id}`].toSorted(),
    )
    expect(await seen(manager)).toEqual([ofSite, ofMachine, ofKey].toSorted())
    expect(await seen(viewer)).toEqual([])
    expect(await seen(stranger)).toEqual([])
    await person.request('DELETE', `${place.path}/members/${manager.id}`)
    expect(await seen(manager)).toEqual([])
    expect(subjectsOf(await list(staff, { subject: ofKey }))).toEqual([ofKey])
  })

  test('filters by actor, subject, action and time, and pages', async () => {
    const person = await world.signUp()
    const place = await createSite(person)
    const others = await Promise.all(Array.from({ length: 5 }, () => world.signUp()))
    for (const other of others) await grant(person, place.path, other, 'viewer')
    const subject = `site:${place.id}`
    const all = await list(person, { subject })
    expect(all.body.items.map(({ action }: AuditEvent) => action)).toEqual([...Array(5).fill('member.add'), 'site.add'])
    for (const asker of [person, staff]) {
      const items: AuditEvent[] = []
      for (let cursor: string | null = ''; cursor !== null; ) {
        const { body }: Answer = await list(asker, { subject, limit: 2, ...(cursor && { cursor }) })
        items.push(...body.items)
        cursor = body.next_cursor
      }
      expect(items).toEqual(all.body.items)
    }
    const [newest, , , , oldest] = all.body.items
    expect((await list(person, { subject, action: 'site.add' })).body.items).toEqual([all.body.items[5]])
    expect((await list(staff, { actor: person.id, to: newest.at, from: oldest.at })).body.items).toEqual(
      all.body.items.slice(1, 5),
    )
    expect((await list(person, { actor: 'me', subject })).body.items.length).toBe(6)
    expect((await list(person, { actor: staff.id })).body.items).toEqual([])
  })

  test.each([
    { actor: 'x' },
    { subject: 'machine' },
    { subject: 'machine:1;' },
    { action: 'x' },
    { from: 'x' },
    { q: 'x' },
  ])('answers 422 for %o', async (query) => {
    expect((await list(owner, query)).status).toBe(422)
  })
})
