// Sites and their members, for the typed client.
import type * as api from './api.ts'
import type { Ask } from './call.ts'
import { type Listing, type Query, walk } from './pages.ts'

export function openSites(ask: Ask) {
  return {
    list: (query?: Query<'listSites'>): Listing<api.Site> =>
      walk((cursor) => ask('listSites', { query: { ...query, ...cursor } })),
    create: (site: api.NewSite) => ask('createSite', { body: site }),
    read: (id: number) => ask('readSite', { path: { id } }),
    change: (id: number, changes: api.SitePatch) => ask('changeSite', { path: { id }, body: changes }),
    delete: (id: number) => ask('deleteSite', { path: { id } }),
    members: (id: number): Listing<api.Member> =>
      walk((cursor) => ask('listSiteMembers', { path: { id }, query: cursor })),
    /** Gives an account a role, or replaces the one that it has. */
    putMember: (id: number, member: api.NewMember) => ask('putSiteMember', { path: { id }, body: member }),
    removeMember: (id: number, accountId: number) => ask('removeSiteMember', { path: { id, account_id: accountId } }),
    /** Reports of up to 100 machines of the site, by a gateway. A bad one has a `problem` in its result. */
    report: (id: number, reports: api.SiteReport[]) => ask('reportMachinesOfSite', { path: { id }, body: { reports } }),
  }
}
