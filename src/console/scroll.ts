// How far the page is scrolled is kept with each entry of the browser's history, so back, forward and reload return to it.
// The browser does not do this by itself, because a screen gets its height only when its data has been read.
const pauseMs = 150

const readKept = () => Number((history.state as { top?: number } | null)?.top ?? 0) // only this file writes it

let returning: AbortController | undefined

function keep(): void {
  if (!returning && scrollY !== readKept()) history.replaceState({ top: scrollY }, '')
}

/** Scrolls when the page is high enough, unless the user scrolls before. */
function returnToKept(): void {
  returning?.abort()
  const top = readKept()
  if (top === 0) {
    scrollTo(0, 0)
    return
  }
  const controller = new AbortController()
  returning = controller
  const { signal } = controller
  const observer = new ResizeObserver(() => {
    if (document.documentElement.scrollHeight - innerHeight < top) return
    scrollTo(0, top)
    controller.abort()
  })
  signal.addEventListener('abort', () => {
    observer.disconnect()
    if (returning === controller) returning = undefined
  })
  for (const type of ['wheel', 'touchmove', 'keydown', 'pointerdown']) {
    addEventListener(type, () => controller.abort(), { signal, passive: true })
  }
  observer.observe(document.body)
}

export function startScroll(): void {
  history.scrollRestoration = 'manual'
  let timer: ReturnType<typeof setTimeout> | undefined
  addEventListener('scroll', () => {
    clearTimeout(timer)
    timer = setTimeout(keep, pauseMs)
  })
  addEventListener('click', keep, { capture: true }) // before a link leaves the entry
  addEventListener('hashchange', () => {
    clearTimeout(timer)
    returnToKept()
  })
  returnToKept()
}
