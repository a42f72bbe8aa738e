// Sites and members for tests.
import { expect } from 'vitest'
import type { Role } from '../../src/sites/role.ts'
import type { Answer, Person, TestMachine, World } from '../harness.ts'

export type Site = { id: number; path: string }

export async function createSite(manager: Person, name = '1공장'): Promise<Site> {
  const { status, body } = await manager.request('POST', '/api/sites', { body: { name } })
  expect(status).toBe(201)
  return { id: body.id, path: `/api/sites/${body.id}` }
}

/** A machine of this person in a site that she manages. */
export function createMachineIn(world: World, site: Site, owner: Person): Promise<TestMachine> {
  return world.createMachine(owner, { site_id: site.id })
}

/** @param path of a site or a machine */
export function grant(manager: Person, path: string, to: Person, role: Role, expires_at?: string): Promise<Answer> {
  const body = { username: to.username, role, ...(expires_at && { expires_at }) }
  return manager.request('POST', `${path}/members`, { body })
}
