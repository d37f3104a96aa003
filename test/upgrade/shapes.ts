/**
 * What records look like, as text: the types of every row and all that these are made of, by the sources. `node test/upgrade/shapes.ts` writes
 * shapes.txt, which shapes.test.ts holds up to date.
 *
 * Invariant: one version of the store, one form of its records. What is written has a higher version than what it replaces.
 */
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { VERSION } from '#store/sqlite'

const SOURCES = fileURLToPath(new URL('../../src', import.meta.url))
export const FILE = join(import.meta.dirname, 'shapes.txt')

type Source = { types: Map<string, string>; imports: Map<string, { file: string; name: string }> }

/** The end of a type that begins at `from`: where its line ends, all brackets are closed and no next line goes on with it. */
function endOfType(text: string, from: number): number {
  let depth = 0
  for (let at = from; at < text.length; at++) {
    const sign = text[at]!
    if ('{([<'.includes(sign)) depth++
    if ('})]>'.includes(sign) && text[at - 1] !== '=') depth--
    if (sign === '\n' && depth <= 0 && !/^\s*[|&]/.test(text.slice(at + 1, at + 40)) && !/[|&=]\s*$/.test(text.slice(from - 1, at))) return at
  }
  return text.length
}

function read(file: string): Source {
  const text = readFileSync(file, 'utf8').replace(/\/\*.*?\*\/|\/\/[^\n]*/gs, '')
  const types = new Map([...text.matchAll(/^(?:export )?type (\w+)(?:<[^=]*>)? =/gm)].map(found => {
    const from = found.index + found[0].length
    return [found[1]!, text.slice(from, endOfType(text, from)).replace(/\s+/g, ' ').trim()]
  }))
  const imports = new Map([...text.matchAll(/^import (?:type )?(?:\w+, )?\{([^}]*)\} from '#([\w/-]+)'/gm)].flatMap(([, names, from]) =>
    names!.split(',').map(one => one.trim().replace(/^type /, '').split(' as ')).filter(([name]) => name)
      .map(([name, as = name]) => [as!, { file: join(SOURCES, `${from}.ts`), name: name! }] as const)))
  return { types, imports }
}

/** Every type that a row is made of, as `file name = type`. */
export function shapes(): string {
  const sources = new Map<string, Source>()
  const sourceOf = (file: string): Source => {
    const found = sources.get(file) ?? (existsSync(file) ? read(file) : { types: new Map(), imports: new Map() })
    sources.set(file, found)
    return found
  }
  const told = new Map<string, string>()
  function tell(file: string, name: string): void {
    const { types, imports } = sourceOf(file)
    const body = types.get(name)
    const imported = imports.get(name)
    const key = `${relative(SOURCES, file)} ${name}`
    if (imported) return tell(imported.file, imported.name)
    if (body === undefined || told.has(key)) return
    told.set(key, body)
    // Words between quotes are values.
    for (const [word] of body.replace(/'[^']*'/g, '').matchAll(/\b[A-Z]\w*/g)) tell(file, word)
  }
  const files = globSync(['service/**/*.ts', 'identity/**/*.ts', 'console/*.ts'], { cwd: SOURCES }).filter(file => !/\.(test|suite)\.ts$/.test(file))
  for (const name of files) {
    const file = join(SOURCES, name)
    for (const [type, body] of sourceOf(file).types) if (/\bRow<(?!any)/.test(body) || /(Spec|Status)$/.test(type)) tell(file, type)
  }
  return [...told].map(([key, body]) => `${key} = ${body}\n`).sort().join('')
}

export const documentOf = (version: number): string => `Version ${version} of the store. Written by \`node test/upgrade/shapes.ts\`.\n\n${shapes()}`
export const versionOf = (document: string): number => Number(/^Version (\d+)/.exec(document)?.[1] ?? 0)

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const before = existsSync(FILE) ? readFileSync(FILE, 'utf8') : ''
  if (before !== documentOf(VERSION) && VERSION <= versionOf(before)) {
    throw new Error(`Records have another form than version ${VERSION} had. Write a fixture at the commit before (write.ts), then add a migration.`)
  }
  writeFileSync(FILE, documentOf(VERSION))
}
