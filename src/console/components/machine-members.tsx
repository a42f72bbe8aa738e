// The members of a machine, and the way out for whoever has a role on it.
import type { Machine } from '../../client/api.ts'
import { TiebarProblem } from '../../client/client.ts'
import { toHash } from '../address.ts'
import { text } from '../language.ts'
import { mayManage, roles } from '../role.ts'
import { navigate } from '../router.ts'
import { client } from '../session.ts'
import { useSites } from '../sites.ts'
import { Members } from './members.tsx'
import { Skeleton } from './screen.tsx'

type Props = { machine: Machine; reload: () => void }

/** Whoever has left still sees a machine without a site, or with a lower role on its site. The heading gets the focus of the button. */
async function showWhatIsLeft({ machine: { id }, reload }: Props): Promise<void> {
  try {
    await client.machines.read(id)
  } catch (error) {
    if (!(error instanceof TiebarProblem) || error.status !== 404) throw error
    return navigate(toHash('board'))
  }
  document.querySelector('h1')?.focus({ preventScroll: true })
  reload()
}

export function MachineMembers(props: Props) {
  const { id, name, my_role } = props.machine
  const isManager = mayManage(my_role)
  const onLeft = () => showWhatIsLeft(props)
  if (isManager) return <Members kind="machine" id={id} name={name} isManager onLeft={onLeft} />
  return <OwnRole {...props} onLeft={onLeft} />
}

/** A role on the machine itself can be given back here, one on its site only there. The API names the higher of the two. */
function OwnRole({ machine, onLeft }: Props & { onLeft: () => Promise<void> }) {
  const { id, name, site_id: siteId, my_role: role } = machine
  const sites = useSites()
  if (role === null) return null
  const site = sites.value?.items.find((each) => each.id === siteId)
  const isOfSite = site !== undefined && roles.indexOf(site.my_role) >= roles.indexOf(role)
  const isKnown = siteId === null || sites.value !== undefined || sites.error !== undefined
  if (isKnown && !isOfSite) return <Members kind="machine" id={id} name={name} isManager={false} onLeft={onLeft} />
  return (
    <section class="panel" aria-labelledby="members-title">
      <h2 id="members-title">{text('members_title')}</h2>
      {site ? (
        <>
          <p class="hint">{text('role_of_site')}</p>
          <a class="button" href={toHash('site', { id: site.id })}>
            {text('to_site')}
          </a>
        </>
      ) : (
        <Skeleton kind="row" />
      )}
    </section>
  )
}
