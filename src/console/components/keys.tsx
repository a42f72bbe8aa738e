// API keys: for the programs of an account, or the controller of one machine. A secret is shown once.
import { useState } from 'hono/jsx/dom'
import type { Key, KeyScope } from '../../client/api.ts'
import { text } from '../language.ts'
import { useResource } from '../resource.ts'
import { client } from '../session.ts'
import { ActionButton } from './action-button.tsx'
import { Age } from './age.tsx'
import { Field, Form } from './form.tsx'
import { ResourceRows } from './resource-rows.tsx'
import { Secret } from './secret.tsx'
import { readUntil, Until, UntilField } from './until.tsx'

const maxKeys = 100
const accountScopes = ['read', 'start', 'stop', 'manage'] as const satisfies KeyScope[]

/** @param machineId only the keys of this machine, and new ones report for it */
export function Keys({ machineId }: { machineId?: number }) {
  const [secret, setSecret] = useState<string | undefined>(undefined)
  const keys = useResource('keys', () => client.ask('listKeys', { query: { limit: maxKeys } }))
  const shown = keys.value?.items.filter((key) => machineId === undefined || key.machine_id === machineId)
  return (
    <section class="panel" aria-labelledby="keys-title">
      <h2 id="keys-title">{text('keys_title')}</h2>
      <p class="hint">{text(machineId === undefined ? 'keys_lead' : 'machine_keys_lead')}</p>
      {secret !== undefined && <Secret label={text('key_secret')} value={secret} />}
      <ResourceRows
        resource={keys}
        items={shown}
        empty={text('no_keys')}
        row={(item) => <KeyRow key={item.id} item={item} onRevoked={keys.reload} />}
      />
      <Form
        label={text('new_key')}
        submit={text('new_key')}
        onSubmit={async (fields, form) => {
          const scopes: KeyScope[] = machineId === undefined ? readScopes(form) : ['report']
          const { secret: made } = await client.keys.create({
            name: fields.name ?? '',
            scopes,
            expires_at: readUntil(fields),
            ...(machineId !== undefined && { machine_id: machineId }),
          })
          setSecret(made)
          form.reset()
          keys.reload()
        }}
      >
        <Field name="name" label={text('key_name')} />
        {machineId === undefined && <Scopes />}
        <UntilField />
      </Form>
    </section>
  )
}

function Scopes() {
  return (
    <fieldset class="scopes">
      <legend>{text('scopes')}</legend>
      {accountScopes.map((scope) => (
        <label key={scope} class="check">
          <input type="checkbox" name="scope" value={scope} checked={scope === 'read'} />
          <span>{text(`scope_${scope}`)}</span>
        </label>
      ))}
    </fieldset>
  )
}

function readScopes(form: HTMLFormElement): KeyScope[] {
  const chosen = new FormData(form).getAll('scope')
  return accountScopes.filter((scope) => chosen.includes(scope))
}

function KeyRow({ item, onRevoked }: { item: Key; onRevoked: () => void }) {
  return (
    <li class="row">
      <div class="row-main">
        <strong>{item.name}</strong>
        <span class="row-meta">
          {item.scopes.map((scope) => text(`scope_${scope}`)).join(', ')} · <Age at={item.created_at} />
        </span>
        {item.expires_at && (
          <span class="row-meta">
            <Until at={item.expires_at} />
          </span>
        )}
      </div>
      {item.revoked_at ? (
        <span class="row-meta">{text('revoked')}</span>
      ) : (
        <ActionButton
          label={text('revoke')}
          name={`${item.name} ${text('revoke')}`}
          isDanger
          onAct={async () => {
            await client.keys.revoke(item.id)
            onRevoked()
          }}
        />
      )}
    </li>
  )
}
