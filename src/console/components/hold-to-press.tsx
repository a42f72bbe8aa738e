// A button that acts when it has been pressed for one second, by pointer or by keyboard.
import { useLayoutEffect, useRef, useState } from 'hono/jsx/dom'

const pressMs = 1_000

type Props = { label: string; pressedLabel: string; isDisabled: boolean; describedBy?: string; onPressed: () => void }

const isPressKey = ({ key }: KeyboardEvent) => key === ' ' || key === 'Enter'

export function HoldToPress({ label, pressedLabel, isDisabled, describedBy, onPressed }: Props) {
  const [isPressed, setPressed] = useState(false)
  const timer = useRef<ReturnType<typeof setTimeout>>(null)
  const end = () => {
    if (timer.current !== null) clearTimeout(timer.current)
    timer.current = null
    setPressed(false)
  }
  const begin = () => {
    if (isDisabled || timer.current !== null) return
    setPressed(true)
    timer.current = setTimeout(() => {
      end()
      onPressed()
    }, pressMs)
  }
  // If the button is disabled or removed while it is pressed, nothing happens.
  useLayoutEffect(() => (isDisabled ? end() : undefined), [isDisabled])
  useLayoutEffect(() => end, [])
  return (
    <button
      type="button"
      class={`button start is-large ${isPressed ? 'is-pressed' : ''}`}
      aria-disabled={isDisabled ? 'true' : 'false'}
      {...(describedBy && { 'aria-describedby': describedBy })}
      onPointerDown={(event: PointerEvent) => event.button === 0 && begin()}
      onPointerUp={end}
      onPointerLeave={end}
      onPointerCancel={end}
      onContextMenu={(event: Event) => event.preventDefault()}
      onKeyDown={(event: KeyboardEvent) => {
        if (!isPressKey(event)) return
        event.preventDefault()
        if (!event.repeat) begin()
      }}
      onKeyUp={(event: KeyboardEvent) => isPressKey(event) && end()}
      onBlur={end}
    >
      <span class="start-fill" aria-hidden="true" />
      <span class="start-label">{isPressed ? pressedLabel : label}</span>
    </button>
  )
}
