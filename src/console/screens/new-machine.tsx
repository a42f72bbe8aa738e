// Registers a machine.
import { toHash } from '../address.ts'
import { Field, Form, Select } from '../components/form.tsx'
import { Screen } from '../components/screen.tsx'
import { text } from '../language.ts'
import { navigate } from '../router.ts'
import { client } from '../session.ts'
import { toSiteOptions, useSites } from '../sites.ts'

export function NewMachineScreen() {
  const options = toSiteOptions(useSites().value?.items ?? [])
  return (
    <Screen title={text('new_machine')} back={{ href: toHash('board'), label: text('back_to_board') }}>
      <section class="panel is-narrow">
        <Form
          label={text('new_machine')}
          submit={text('register')}
          onSubmit={async ({ name = '', location = '', site = '', url = '' }) => {
            const machine = await client.machines.create({
              name,
              location,
              ...(site !== '' && { site_id: Number(site) }),
              ...(url.trim() !== '' && { controller_url: url.trim() }),
            })
            navigate(toHash('machine', { id: machine.id }))
          }}
        >
          <Field name="name" label={text('name')} />
          <Field name="location" label={text('location')} hint={text('location_hint')} />
          <Select name="site" label={text('filter_site')} options={options} />
          <Field name="url" type="url" label={text('controller_url')} hint={text('controller_url_hint')} isOptional />
        </Form>
      </section>
    </Screen>
  )
}
