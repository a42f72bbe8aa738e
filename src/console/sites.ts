// The sites of the user, for choices in forms.
import type { Site } from '../client/api.ts'
import type { Option } from './components/form.tsx'
import { text } from './language.ts'
import { type Resource, useResource } from './resource.ts'
import { mayManage } from './role.ts'
import { client } from './session.ts'

const maxSites = 100

type Sites = { items: Site[] }

export function useSites(): Resource<Sites> {
  return useResource('sites', () => client.ask('listSites', { query: { limit: maxSites } }))
}

/**
 * Where a machine may be: no site, the current one, and those that the user manages.
 * @param current the site of the machine, which the user may not know
 */
export function toSiteOptions(sites: Site[], current: number | null = null): Option[] {
  const possible = sites.filter(({ id, my_role }) => id === current || mayManage(my_role))
  const options = possible.map(({ id, name }) => ({ value: String(id), label: name }))
  if (current !== null && !possible.some(({ id }) => id === current)) {
    options.push({ value: String(current), label: text('site_id', { id: current }) })
  }
  return [{ value: '', label: text('no_site') }, ...options]
}
