// README.md names what is there: every package with its reason, and no program that does not exist.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const at = (path: string) => join(import.meta.dirname, '..', path)
const read = (path: string) => readFileSync(at(path), 'utf8')
const readme = read('README.md')
const { scripts, dependencies, devDependencies } = JSON.parse(read('package.json'))

describe('README.md', () => {
  test('says of each package why it is there', () => {
    const why = readme.slice(readme.indexOf('**The packages, and why each**'))
    const named = [...why.matchAll(/`([^`\s]+)`/g)].map(([, name]) => name)
    expect(named.toSorted()).toEqual([...Object.keys(dependencies), ...Object.keys(devDependencies)].toSorted())
  })

  test('names only programs that exist', () => {
    const named = [...readme.matchAll(/npm run (?:-s |--silent )?([\w:]+)/g)].map(([, name = '']) => name)
    expect(named.length).toBeGreaterThan(5)
    expect([...new Set(named)].filter((name) => !(name in scripts))).toEqual([])
  })

  test('names only paths of the project that exist', () => {
    const paths = [...readme.matchAll(/`((?:src|test|drizzle|\.ci)\/[\w./-]+)`/g)].map(([, path = '']) => path)
    expect(paths.length).toBeGreaterThan(3)
    expect(paths.filter((path) => !existsSync(at(path)))).toEqual([])
  })
})

type Section = { level: number; title: string; code: string[]; spans: string[]; tableRows: number; links: string[] }

/** A README by its headings; of its code the commands, without what is said to people. */
function readSections(text: string): Section[] {
  const sections: Section[] = []
  let fence: string[] | undefined
  for (const line of text.split('\n')) {
    const section = sections.at(-1)
    if (line.startsWith('```')) {
      if (fence) section?.code.push(fence.join('\n'))
      fence = fence ? undefined : [line]
    } else if (fence) {
      const command = line.replace(/(^|\s+)(#|\/\/) .*$/, '')
      if (command !== '') fence.push(command)
    } else if (/^#+ /.test(line)) {
      const [marks = '', ...words] = line.split(' ')
      sections.push({ level: marks.length, title: words.join(' '), code: [], spans: [], tableRows: 0, links: [] })
    } else if (section) {
      if (line.startsWith('|')) section.tableRows += 1
    }
  }
  const bodies = text
    .replace(/^```[\s\S]*?^```/gm, '')
    .split(/^#+ .*$/m)
    .slice(1)
  for (const [index, section] of sections.entries()) {
    const body = bodies[index] ?? ''
    section.spans = [...body.matchAll(/`([^`]+)`/g)].map(([, span = '']) => span.replace(/\s+/g, ' ')).toSorted()
    section.links = [...body.matchAll(/\]\(([^)]+)\)/g)].map(([, link = '']) => link)
  }
  return sections
}

/** As GitHub makes them. */
const anchorOf = (title: string) =>
  `#${title
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-')}`

describe('README.ko.md', () => {
  const [english, korean] = [readSections(readme), readSections(read('README.ko.md'))]

  test('has the same headings at the same levels', () => {
    expect(english.length).toBeGreaterThan(10)
    expect(korean.map(({ level }) => level)).toEqual(english.map(({ level }) => level))
  })

  test.each(english.map((section, index) => [section.title, section, korean[index]] as const))(
    'says under “%s” the same commands, names and rows',
    (_, { code, spans, tableRows }, translated) => {
      expect(translated?.code).toEqual(code)
      expect(translated?.spans).toEqual(spans)
      expect(translated?.tableRows).toBe(tableRows)
    },
  )

  test.each([
    ['README.md', english],
    ['README.ko.md', korean],
  ])('links of %s to a heading lead to one', (_, sections) => {
    const anchors = sections.map(({ title }) => anchorOf(title))
    const links = sections.flatMap((section) => section.links.filter((link) => link.startsWith('#')))
    expect(links.length).toBeGreaterThan(0)
    expect(links.filter((link) => !anchors.includes(link))).toEqual([])
  })
})
