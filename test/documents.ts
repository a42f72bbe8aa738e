// Parses the documents: headings, links, code blocks and commands.
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
export const at = (path: string) => join(root, path)
export const read = (path: string) => readFileSync(at(path), 'utf8')
export const isThere = (path: string) => existsSync(at(path))

export const documents = globSync(['*.md', 'docs/**/*.md'], { cwd: root }).toSorted()

export type Block = { language: string; text: string }

export type Section = {
  level: number
  title: string
  blocks: Block[]
  /** The text between the blocks. */
  prose: string
}

/** The sections of a document. Text before the first heading is ignored. */
export function readSections(text: string): Section[] {
  const sections: Section[] = []
  let block: Block | undefined
  for (const line of text.split('\n')) {
    const section = sections.at(-1)
    const [, marks, title = ''] = /^(#+) (.+)$/.exec(line) ?? []
    if (line.startsWith('```')) {
      if (block) section?.blocks.push(block)
      block = block ? undefined : { language: line.slice(3), text: '' }
    } else if (block) block.text += `${line}\n`
    else if (marks) sections.push({ level: marks.length, title, blocks: [], prose: '' })
    else if (section) section.prose += `${line}\n`
  }
  return sections
}

/** The anchor that GitHub creates for a heading. */
export function anchorOf({ title }: Section): string {
  const kept = title.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '')
  return kept.trim().replaceAll(' ', '-')
}

export function linksIn(text: string): string[] {
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link)
}

/** The cells of each row of a table. */
export function rowsIn(text: string): string[][] {
  const rows = text.split('\n').filter((line) => line.startsWith('|') && !line.startsWith('|---'))
  return rows.map((row) => row.split('|').slice(1, -1)).map((cells) => cells.map((cell) => cell.trim()))
}

/** The commands of a shell block. Continued lines and here-documents are one command; comments are skipped. */
export function commandsIn(block: string): string[] {
  const commands: string[] = []
  const lines = block.split('\n')
  for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
    let command = line
    while (command.endsWith('\\')) command = `${command.slice(0, -1).trimEnd()} ${lines.shift()?.trim()}`
    if (command.includes('<<EOF')) while (command.split('\n').at(-1) !== 'EOF') command += `\n${lines.shift()}`
    command = command.replace(/(^|\s+)# .*$/, '')
    if (command !== '') commands.push(command)
  }
  return commands
}

/** The commands of a document: those in its shell blocks, and those that its text names. */
export function commandsOf(text: string): string[] {
  return readSections(text).flatMap(({ blocks, prose }) => [
    ...blocks.filter(({ language }) => language === 'sh').flatMap((block) => commandsIn(block.text)),
    ...[...prose.matchAll(/`([^`]+)`/g)].map(([, span = '']) => span).filter((span) => /\b(npm|npx) /.test(span)),
  ])
}

/** The block of a document with this beginning. @throws Error when there is none or more than one */
export function findBlock(document: string, beginning: string): string {
  const blocks = readSections(read(document)).flatMap((section) => section.blocks)
  const [found, ...more] = blocks.filter(({ text }) => text.startsWith(beginning))
  if (!found || more.length > 0) throw new Error(`${document}: ${more.length + 1} blocks begin with ${beginning}`)
  return found.text
}
