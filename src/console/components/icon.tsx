// Icons. A status has an icon besides its colour and its word. Screen readers skip it, because a word is always beside it.
import type { ShownStatus } from '../status.ts'

const paths = {
  RUNNING: 'M8 5.5v13l11-6.5z',
  READY: 'M7 5h3.6v14H7zM13.4 5H17v14h-3.6z',
  PENDING: 'M12 3a9 9 0 1 0 9 9h-3a6 6 0 1 1-6-6z',
  ERROR: 'M12 2.5 23 21.5H1zM10.8 9.5l.4 6h1.6l.4-6zM11 17v2h2v-2z',
  POWEROFF: 'M10.7 3h2.6v9h-2.6zM7 5.9l1.5 2.1a6 6 0 1 0 7 0L17 5.9a8.5 8.5 0 1 1-10 0z',
  stale:
    'M12 16.8a1.9 1.9 0 1 1 0 3.8 1.9 1.9 0 0 1 0-3.8zM12 3c3.3 0 5.7 2 5.7 5 0 2-1 3.2-2.7 4.4-1.2.9-1.6 1.4-1.6 2.6h-2.9c0-2.3.9-3.4 2.5-4.6 1.2-.9 1.7-1.4 1.7-2.3 0-1.3-1-2.2-2.7-2.2S9.200 7 9.200 8.600H6.300C6.300 5.200 8.700 3 12 3z',
  stop: 'M5.500 5.500h13v13h-13z',
  hold: 'M12 2a5 5 0 0 1 5 5v3h2v12H5V10h2V7a5 5 0 0 1 5-5zm0 2.600A2.400 2.400 0 0 0 9.600 7v3h4.800V7A2.400 2.400 0 0 0 12 4.600z',
  back: 'M15.500 4 17.600 6.100 11.700 12l5.900 5.900-2.100 2.100L7.500 12z',
  next: 'M8.500 4 6.400 6.100l5.900 5.900-5.900 5.900L8.500 20l8-8z',
  alarm: 'M12 2a7 7 0 0 1 7 7v5l2 4H3l2-4V9a7 7 0 0 1 7-7zM9.500 19.500h5a2.500 2.500 0 0 1-5 0z',
  offline:
    'M3.500 2 22 20.500 20.500 22 2 3.500zM12 5c4 0 7.700 1.600 10.400 4.200l-2 2.100A12 12 0 0 0 12 8c-.7 0-1.400 0-2 .2L7.400 5.600C8.900 5.200 10.400 5 12 5zM12 20.500l-3-3a4.300 4.300 0 0 1 6 0z',
  check: 'M9.500 18.800 3.200 12.500l2.100-2.100 4.200 4.200 9.200-9.200 2.100 2.100z',
  plus: 'M10.700 4h2.600v6.700H20v2.600h-6.700V20h-2.600v-6.700H4v-2.600h6.700z',
  list: 'M3 5h18v2.500H3zM3 10.800h18v2.500H3zM3 16.500h18V19H3z',
} as const satisfies Record<ShownStatus | string, string>

export type IconName = keyof typeof paths

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={paths[name]} fill="currentColor" fill-rule="evenodd" />
    </svg>
  )
}
