/** Checks of the code itself: layers point down, files stay small, plans act on nothing, words stay out. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'

/** A layer may import itself and the layers listed. Reading this table is reading the architecture. */
const layers: Record<string, string[]> = {
  base: [],
  store: ['base'],
  kit: ['store', 'base'],
  wire: ['kit', 'base'],
  engine: ['base'],
  identity: ['kit', 'store', 'base'],
  service: ['identity', 'kit', 'store', 'base', 'engine', 'loop'],
  loop: ['store', 'kit', 'base'],
  launch: ['base', 'engine'],
  console: ['kit', 'store', 'base', 'engine'],
}
/** The process's own files stand above the layers. */
const top = ['src/main.ts', 'src/cloud.ts', 'src/page.ts', 'src/inside.ts', 'src/drain.ts', 'src/restored.ts']
const files = globSync('src/**/*.ts').filter(file => !top.includes(file))
const source = (file: string) => readFileSync(file, 'utf8')
const imports = (file: string) => [...source(file).matchAll(/from '#([^/']+)\/([^']+)'/g)].map(m => ({ layer: m[1]!, rest: m[2]! }))
const isTest = (file: string) => /\.(test|suite)\.ts$/.test(file)

test('imports point down the layers', () => {
  const wrong: string[] = []
  for (const file of files.filter(f => !isTest(f))) {
    const [, layer = '', unit = ''] = file.split('/')
    // The list of services is above them, and the engine's real and fake are chosen above the engine.
    if (file === 'src/service/index.ts') continue
    for (const { layer: to, rest } of imports(file)) {
      if (to !== layer && !layers[layer]?.includes(to)) wrong.push(`${file} -> ${to}`)
      // A service reaches the engine through its port, and another service through the front door.
      if (layer === 'service' && to === 'engine' && rest !== 'port') wrong.push(`${file} -> engine/${rest}`)
      if (layer === 'service' && to === 'service' && rest !== 'service' && rest.split('/')[0] !== unit) wrong.push(`${file} -> ${rest}`)
    }
  }
  assert.deepEqual(wrong, [])
})

test('imports inside src are by layer name, never by relative path', () => {
  assert.deepEqual(files.filter(file => /from '\.\.?\//.test(source(file))), [])
})

test('files stay under 300 lines of 150 columns, data tables and messages apart', () => {
  const others = globSync('{test,console/src}/**/*.{ts,tsx}')
  const long = [...files, ...others].filter(file => !/\/(data|i18n)\//.test(file)).flatMap(file => {
    const lines = source(file).split('\n')
    const wide = lines.findIndex(line => line.length > 150)
    if (lines.length > 300) return [`${file}: ${lines.length} lines`]
    return wide >= 0 ? [`${file}:${wide + 1}: ${lines[wide]!.length} columns`] : []
  })
  assert.deepEqual(long, [])
})

const acts = /from 'node:|Date\.now|new Date\(\)|Math\.random|await |#engine|#store\/sqlite/

test('plans are pure: no clock, no chance, no waiting, nothing that acts', () => {
  assert.deepEqual(files.filter(file => file.endsWith('/plan.ts') && acts.test(source(file))), [])
})

test('every source file says first what it is', () => {
  const silent = files.filter(file => !isTest(file) && !/^(#![^\n]*\n)?\/\*\*/.test(source(file)))
  assert.deepEqual(silent, [])
})

test('the engine knows no AWS word', () => {
  const engine = files.filter(file => file.startsWith('src/engine/') && !isTest(file))
  assert.deepEqual(engine.filter(file => /\b(eni|vpc|sg|ami|igw|rtb)-|\b(Instance|Volume|Vpc|Subnet)Id\b/.test(source(file))), [])
})
