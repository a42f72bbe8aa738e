// For staff: all accounts, new ones, and new passwords.
import { useState } from 'hono/jsx/dom'
import { toHash } from '../address.ts'
import { AccountRow } from '../components/account-row.tsx'
import { Field, Form } from '../components/form.tsx'
import { ResourceRows } from '../components/resource-rows.tsx'
import { Screen } from '../components/screen.tsx'
import { Secret } from '../components/secret.tsx'
import { text } from '../language.ts'
import { noteAccounts } from '../people.ts'
import { useResource } from '../resource.ts'
import { replaceQuery, route } from '../router.ts'
import { client } from '../session.ts'
import { useStore } from '../state.ts'

const pageLimit = 100

export function AccountsScreen() {
  const { query } = useStore(route)
  const { q = '', cursor = '' } = query
  const [token, setToken] = useState<string | undefined>(undefined)
  const accounts = useResource(`accounts-${q}-${cursor}`, async () => {
    const query = { limit: pageLimit, ...(q && { q }), ...(cursor && { cursor }) }
    const page = await client.ask('listAccounts', { query })
    noteAccounts(page.items)
    return page
  })
  const next = accounts.value?.next_cursor
  return (
    <Screen title={text('nav_accounts')}>
      {token !== undefined && <Secret label={text('reset_token')} value={token} />}
      <div class="columns">
        <section class="panel">
          <h2>{text('nav_accounts')}</h2>
          <Form
            label={text('filter')}
            submit={text('search')}
            onSubmit={async ({ q: asked = '' }) => replaceQuery({ q: asked })}
          >
            <Field name="q" type="search" label={text('account_search')} value={q} isOptional />
          </Form>
          <ResourceRows
            resource={accounts}
            items={accounts.value?.items}
            empty={text('no_accounts')}
            row={(user) => <AccountRow key={user.id} user={user} onToken={setToken} onChanged={accounts.reload} />}
          />
          {next && (
            <a class="button" href={toHash('accounts', { query: { q, cursor: next } })}>
              {text('next_page')}
            </a>
          )}
        </section>
        <section class="panel">
          <h2>{text('new_account')}</h2>
          <p class="hint">{text('new_account_lead')}</p>
          <Form
            label={text('new_account')}
            submit={text('new_account')}
            onSubmit={async ({ username = '', email = '' }, form) => {
              setToken((await client.ask('createAccount', { body: { username, email } })).reset_token)
              form.reset()
              accounts.reload()
            }}
          >
            <Field name="username" label={text('username')} />
            <Field name="email" label={text('email')} type="email" />
          </Form>
        </section>
      </div>
    </Screen>
  )
}
