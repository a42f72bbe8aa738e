// The frame of a screen: its heading gets the focus when the user comes to it.
import { useLayoutEffect, useRef } from 'hono/jsx/dom'
import { text } from '../language.ts'
import { route } from '../router.ts'
import { session } from '../session.ts'
import { Icon } from './icon.tsx'

type Props = {
  title: string
  lead?: string
  actions?: unknown
  back?: { href: string; label: string }
  children?: unknown
}

/** Where the last screen was. The first one leaves the focus where the browser puts it, as does a screen that is made anew. */
let shownAt: string | undefined

function nameHere(): string {
  const { screen, id } = route.get()
  const isGate = session.get().state === 'signedOut'
  return `${isGate} ${screen} ${id}`
}

export function Screen({ title, lead, actions, back, children }: Props) {
  const heading = useRef<HTMLHeadingElement>(null)
  useLayoutEffect(() => {
    const here = nameHere()
    if (shownAt !== undefined && shownAt !== here) heading.current?.focus({ preventScroll: true }) // the place is kept: scroll.ts
    shownAt = here
  }, [])
  useLayoutEffect(() => {
    document.title = `${title} · ${text('app')}`
  }, [title])
  return (
    <div class="screen">
      <header class="screen-head">
        <div>
          {back && (
            <a class="back" href={back.href}>
              <Icon name="back" />
              <span>{back.label}</span>
            </a>
          )}
          <h1 tabindex={-1} ref={heading}>
            {title}
          </h1>
          {lead && <p class="lead">{lead}</p>}
        </div>
        {actions && <div class="screen-actions">{actions}</div>}
      </header>
      {children}
    </div>
  )
}

export function Empty({ title, detail, children }: { title: string; detail: string; children?: unknown }) {
  return (
    <div class="empty">
      <h2>{title}</h2>
      <p>{detail}</p>
      {children}
    </div>
  )
}

export function Skeleton({ kind, count = 1 }: { kind: 'card' | 'line' | 'panel' | 'row'; count?: number }) {
  return (
    <div class={`skeletons skeletons-${kind}`} role="status">
      <span class="visually-hidden">{text('loading')}</span>
      {Array.from({ length: count }, (_, index) => (
        <div key={index} class={`skeleton skeleton-${kind}`} />
      ))}
    </div>
  )
}
