// The sites of the user, and one site with its members.
import { toHash } from '../address.ts'
import { ActionButton } from '../components/action-button.tsx'
import { Field, Form } from '../components/form.tsx'
import { Members } from '../components/members.tsx'
import { Problem } from '../components/problem.tsx'
import { Empty, Screen, Skeleton } from '../components/screen.tsx'
import { text } from '../language.ts'
import { useResource } from '../resource.ts'
import { mayManage } from '../role.ts'
import { navigate } from '../router.ts'
import { client } from '../session.ts'
import { useSites } from '../sites.ts'

export function SitesScreen() {
  const sites = useSites()
  const items = sites.value?.items
  return (
    <Screen title={text('sites_title')} lead={text('sites_lead')}>
      {sites.error !== undefined && <Problem error={sites.error} onRetry={sites.reload} />}
      {!items && sites.error === undefined && <Skeleton kind="line" count={3} />}
      {items?.length === 0 && <Empty title={text('no_sites_title')} detail={text('no_sites_detail')} />}
      {items && items.length > 0 && (
        <ul class="rows panel">
          {items.map((site) => (
            <li key={site.id} class="row">
              <div class="row-main">
                <a class="row-link" href={toHash('site', { id: site.id })}>
                  {site.name}
                </a>
                <span class="row-meta">{text(`role_${site.my_role}`)}</span>
              </div>
              <a class="button" href={toHash('board', { query: { site: String(site.id) } })}>
                {text('site_machines')}
              </a>
            </li>
          ))}
        </ul>
      )}
      <section class="panel is-narrow">
        <h2>{text('new_site')}</h2>
        <Form
          label={text('new_site')}
          submit={text('new_site')}
          onSubmit={async ({ name = '' }, form) => {
            await client.sites.create({ name })
            form.reset()
            sites.reload()
          }}
        >
          <Field name="name" label={text('site_name')} />
        </Form>
      </section>
    </Screen>
  )
}

export function SiteScreen({ id }: { id: number }) {
  const site = useResource(`site-${id}`, () => client.sites.read(id))
  const back = { href: toHash('sites'), label: text('sites_title') }
  if (!site.value) {
    return (
      <Screen title={text('sites_title')} back={back}>
        {site.error === undefined ? (
          <Skeleton kind="panel" count={1} />
        ) : (
          <Problem error={site.error} onRetry={site.reload} />
        )}
      </Screen>
    )
  }
  const isManager = mayManage(site.value.my_role)
  return (
    <Screen
      key="loaded"
      title={site.value.name}
      lead={text(`role_${site.value.my_role}`)}
      back={back}
      actions={
        <a class="button" href={toHash('board', { query: { site: String(id) } })}>
          {text('site_machines')}
        </a>
      }
    >
      <div class="columns">
        <Members
          kind="site"
          id={id}
          name={site.value.name}
          isManager={isManager}
          onLeft={() => navigate(toHash('sites'))}
        />
        {isManager && (
          <section class="panel">
            <h2>{text('site_settings')}</h2>
            <Form
              label={text('site_settings')}
              submit={text('save')}
              onSubmit={async ({ name = '' }) => {
                await client.sites.change(id, { name })
                site.reload()
              }}
            >
              <Field name="name" label={text('site_name')} value={site.value.name} />
            </Form>
            <p class="hint">{text('delete_site_hint')}</p>
            <ActionButton
              label={text('delete_site')}
              isDanger
              onAct={async () => {
                await client.sites.delete(id)
                navigate(toHash('sites'))
              }}
            />
          </section>
        )}
      </div>
    </Screen>
  )
}
