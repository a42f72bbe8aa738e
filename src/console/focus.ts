// Keeps the focus on the page. Without this, it is lost when the element that has it is removed: people who work with the keyboard
// would begin again at the top, and a screen reader would fall silent.
let path: Element[] = []
/** Whether the focus can be seen: somebody works with the keyboard. */
let isVisible = false

function notePath(event: FocusEvent): void {
  path = event.composedPath().filter((each) => each instanceof Element)
  isVisible = path[0]?.matches(':focus-visible') ?? false
}

/** What names the part of the page in which it was. */
function findNext(): HTMLElement | null {
  const part = path.find((each) => each.isConnected && each.querySelector('h1, h2, h3') !== null)
  const heading = part?.querySelector<HTMLElement>('h1, h2, h3')
  return heading?.querySelector('a') ?? heading ?? null
}

function restore(records: MutationRecord[]): void {
  if (document.activeElement !== document.body) return
  const isRemoved = records.some(({ removedNodes }) => path.some((each) => [...removedNodes].includes(each)))
  if (!isRemoved) return
  const next = findNext()
  if (next?.localName.startsWith('h')) next.tabIndex = -1
  // For a mouse, nothing may move.
  next?.focus({ preventScroll: !isVisible })
}

/** A click beside everything takes the focus away on purpose. A removal is noticed before this is looked at. */
function noteLoss(): void {
  setTimeout(() => {
    if (document.activeElement === document.body) path = []
  })
}

export function keepFocus(root: Element): void {
  addEventListener('focusin', notePath)
  addEventListener('focusout', noteLoss)
  new MutationObserver(restore).observe(root, { childList: true, subtree: true })
}
