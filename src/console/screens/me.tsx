// My account: name, e-mail, password, sessions, keys.
import { toHash } from '../address.ts'
import { ActionButton } from '../components/action-button.tsx'
import { Age } from '../components/age.tsx'
import { Keys } from '../components/keys.tsx'
import { PersonalData } from '../components/personal-data.tsx'
import { Problem } from '../components/problem.tsx'
import { Password, Profile } from '../components/profile.tsx'
import { ResourceRows } from '../components/resource-rows.tsx'
import { Screen, Skeleton } from '../components/screen.tsx'
import { text } from '../language.ts'
import { useResource } from '../resource.ts'
import { client } from '../session.ts'

export function MeScreen() {
  const me = useResource('me', () => client.me.read())
  return (
    <Screen title={text('nav_me')} {...(me.value && { lead: me.value.username })}>
      {me.error !== undefined && <Problem error={me.error} onRetry={me.reload} />}
      {!me.value && me.error === undefined && <Skeleton kind="panel" count={2} />}
      {me.value && (
        <div class="columns">
          {me.value.overridden_holds.length > 0 && (
            <section class="panel is-wide" aria-labelledby="overridden-title">
              <h2 id="overridden-title">{text('overridden_title')}</h2>
              <ul class="rows">
                {me.value.overridden_holds.map((hold) => (
                  <li key={hold.id} class="row">
                    <a class="row-link" href={toHash('machine', { id: hold.machine_id })}>
                      {text('machine_title', { id: hold.machine_id })}
                    </a>
                    <span class="row-meta">
                      {hold.reason} — {hold.override?.reason}
                    </span>
                  </li>
                ))}
              </ul>
            </section>
          )}
          <Profile me={me.value} onSaved={me.reload} />
          <Password />
          <Keys />
          <div class="stack">
            <Sessions />
            <PersonalData />
          </div>
        </div>
      )}
    </Screen>
  )
}

function Sessions() {
  const sessions = useResource('sessions', () => client.me.sessions())
  return (
    <section class="panel" aria-labelledby="sessions-title">
      <h2 id="sessions-title">{text('sessions_title')}</h2>
      <ResourceRows
        resource={sessions}
        items={sessions.value}
        row={(each) => (
          <li key={each.id} class="row">
            <div class="row-main">
              <strong>{each.current ? text('this_session') : (each.address ?? text('unknown_address'))}</strong>
              <span class="row-meta clamp">{each.user_agent}</span>
              <span class="row-meta">
                <Age at={each.refreshed_at} />
              </span>
            </div>
            {!each.current && (
              <ActionButton
                label={text('end_session')}
                isDanger
                onAct={async () => {
                  await client.me.endSession(each.id)
                  sessions.reload()
                }}
              />
            )}
          </li>
        )}
      />
    </section>
  )
}
