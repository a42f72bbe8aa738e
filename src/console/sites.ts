// The sites of the user, for choices in forms.
import type { Site } from '../client/api.ts'
import type { Option } from './components/form.tsx'
import { text } from './language.ts'
import { type Resource, useResource } from './resource.ts'
import { mayManage } from './role.ts'
import { client } from './session.ts'

const mostSites = 100

type Sites = { items: Site[] }

export function useSites(): Resource<Sites> {
  return useResource('sites', () => client.ask('listSites', { query: { limit: mostSites } }))
}

/**
 * Where a machine may be: no site, the present one, and those that the user manages.
 * @param present the site of the machine, which the user may not know
 */
export function toSiteOptions(sites: Site[], present: number | null = null): Option[] {
  const possible = sites.filter(({ id, my_role }) => id === present || mayManage(my_role))
  const options = possible.map(({ id, name }) => ({ value: String(id), label: name }))
  if (present !== null && !possible.some(({ id }) => id === present)) {
    options.push({ value: String(present), label: text('site_id', { id: present }) })
  }
  return [{ value: '', label: text('no_site') }, ...options]
}
