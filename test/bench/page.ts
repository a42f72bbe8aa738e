// The figures as one self-contained page: throughput compared with the bare worker, latencies, growth.
import type { Growth } from './growth.ts'
import type { Report, RouteFigures } from './report.ts'
import { round } from './report.ts'

const width = 760
const left = 170
const plot = width - left - 90
const rowHeight = 44

const colours = { ours: '#0b6e99', bare: '#b9c4cb', spread: '#7fb5cc' }

export function drawPage(report: Report): string {
  const sections = Object.entries(report.backends).map(
    ([name, figures]) => `<h2>Throughput, ${name}</h2>
<p>Requests per second with 16 connections, beside a bare worker that sends the same statements on the same runtime, in
turns. At the right the ratio, the median of the turns.</p>${legend()}${drawThroughput(figures)}
<h2>Latency, ${name}</h2><p>From the median to the 99th percentile, in ms; the line is the bare worker's median.</p>
${drawLatency(figures)}`,
  )
  const growth =
    Object.keys(report.growth).length === 0
      ? ''
      : `<h2>Growth</h2><p>Median of a page in ms, one request at a time, by the number of rows.</p>${drawGrowth(report.growth)}`
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Tiebar: speed</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:${width}px;margin:2rem auto;padding:0 1rem;color:#1c2a31}
svg{width:100%;height:auto}text{font:13px system-ui,sans-serif;fill:#1c2a31}table{border-collapse:collapse}
td{padding:.2rem 1rem .2rem 0}i{display:inline-block;width:.8em;height:.8em;margin:0 .4em 0 1em}</style>
<h1>Tiebar: speed</h1>${drawSummary(report)}${sections.join('\n')}${growth}</html>
`
}

function drawSummary(report: Report): string {
  const figures: [string, number | undefined, string][] = [
    ['Bundle, gzipped', report.bundle_gzip_bytes / 1024, 'KiB'],
    ['Start-up', report.startup_cpu_ms, 'ms CPU'],
    ['START accepted to the command at the controller', report.dispatch?.p50_ms, 'ms'],
    ['the same without the upstreams’ own time', report.dispatch?.p50_over_upstreams_ms, 'ms'],
    ['Sweep among 100,000 open jobs and all ended ones', report.sweep?.idle_ms, 'ms'],
    ...Object.entries(report.sweep?.due_ms ?? {}).map(([count, ms]): [string, number, string] => {
      return [`Sweep of 100 among ${count} due jobs`, ms, 'ms']
    }),
  ]
  const rows = figures.flatMap(([name, value, unit]) =>
    value === undefined ? [] : `<tr><td>${name}<td>${round(value)} ${unit}`,
  )
  return `<table>${rows.join('')}</table>`
}

function legend(): string {
  return `<p><i style="background:${colours.ours}"></i>Tiebar<i style="background:${colours.bare}"></i>bare</p>`
}

function svg(height: number, content: string[]): string {
  return `<svg viewBox="0 0 ${width} ${height}" role="img">${content.join('')}</svg>`
}

const text = (x: number, y: number, content: string, anchor = 'start') =>
  `<text x="${x}" y="${y}" text-anchor="${anchor}">${content}</text>`

const bar = (x: number, y: number, length: number, height: number, colour: string) =>
  `<rect x="${x}" y="${y}" width="${Math.max(1, length)}" height="${height}" fill="${colour}" rx="2"/>`

function drawThroughput(figures: RouteFigures): string {
  const routes = Object.entries(figures)
  const most = Math.max(...routes.flatMap(([, each]) => [each.requests_per_second, each.bare_requests_per_second]))
  const scale = (value: number) => (value / most) * plot
  const rows = routes.map(([name, each], index) => {
    const y = index * rowHeight
    const [ours, bare] = [scale(each.requests_per_second), scale(each.bare_requests_per_second)]
    return [
      text(left - 10, y + 26, name, 'end'),
      bar(left, y + 6, ours, 15, colours.ours),
      bar(left, y + 23, bare, 11, colours.bare),
      text(
        left + Math.max(ours, bare) + 8,
        y + 25,
        `${Math.round(each.requests_per_second)} · ${round(each.ratio_to_bare)}`,
      ),
    ].join('')
  })
  return svg(routes.length * rowHeight, rows)
}

function drawLatency(figures: RouteFigures): string {
  const routes = Object.entries(figures)
  const most = Math.max(...routes.map(([, each]) => each.p99_ms))
  const scale = (value: number) => left + (value / most) * plot
  const rows = routes.map(([name, each], index) => {
    const y = index * rowHeight
    const bare = scale(each.bare_p50_ms)
    return [
      text(left - 10, y + 26, name, 'end'),
      bar(scale(each.p50_ms), y + 12, scale(each.p99_ms) - scale(each.p50_ms), 20, colours.spread),
      bar(scale(each.p50_ms), y + 12, 3, 20, colours.ours),
      `<line x1="${bare}" x2="${bare}" y1="${y + 6}" y2="${y + 38}" stroke="#5b6b74" stroke-width="2"/>`,
      text(scale(each.p99_ms) + 8, y + 26, `${round(each.p50_ms)} – ${round(each.p99_ms)}`),
    ].join('')
  })
  return svg(routes.length * rowHeight, rows)
}

function drawGrowth(growth: Record<string, Growth>): string {
  const lines = Object.entries(growth).map(([name, { p50_ms }]) => ({
    name,
    points: Object.entries(p50_ms).map(([size, ms]) => [Math.log10(Number(size)), ms] as const),
  }))
  const height = 320
  const most = 1.2 * Math.max(...lines.flatMap(({ points }) => points.map(([, ms]) => ms)))
  const x = (power: number) => left + ((power - 3) / 3) * plot
  const y = (ms: number) => height - 30 - (ms / most) * (height - 50)
  const grid = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const at = y(part * most)
    return `<line x1="${left}" x2="${left + plot}" y1="${at}" y2="${at}" stroke="#e3e8eb"/>${text(left - 10, at + 4, `${round(part * most)} ms`, 'end')}`
  })
  const sizes = [3, 4, 5, 6].map((power) => text(x(power), height - 8, (10 ** power).toLocaleString('en'), 'middle'))
  const drawn = lines.map(({ name, points }, index) => {
    const colour = `hsl(${(index * 360) / lines.length} 55% 40%)`
    const path = points.map(([power, ms]) => `${x(power)},${y(ms)}`).join(' ')
    return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"><title>${name}</title></polyline>`
  })
  const names = lines.map(
    ({ name }, index) => `<span><i style="background:hsl(${(index * 360) / lines.length} 55% 40%)"></i>${name}</span> `,
  )
  return `${svg(height, [...grid, ...sizes, ...drawn])}<p>${names.join('')}</p>`
}
