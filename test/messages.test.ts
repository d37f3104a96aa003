/** The console's words: each in both languages, and each one used. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { join } from 'node:path'

const SOURCES = fileURLToPath(new URL('../console/src', import.meta.url))
type Pair = readonly [en: string, fr: string]

async function messages(): Promise<Map<string, Pair>> {
  const files = globSync('i18n/*.ts', { cwd: SOURCES }).filter(name => !name.endsWith('text.ts'))
  const modules = await Promise.all(
    files.map(name => import(pathToFileURL(join(SOURCES, name)).href) as Promise<Record<string, Record<string, Pair>>>),
  )
  return new Map(modules.flatMap(module => Object.values(module).flatMap(Object.entries)))
}

test('no message is missing in either language, and both have the same places for values', async () => {
  const places = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(match => match[1]).sort()
  const all = await messages()
  assert.ok(all.size > 300)
  const wrong = [...all].filter(([, [en, fr]]) => !en.trim() || !fr?.trim() || String(places(en)) !== String(places(fr)))
  assert.deepEqual(wrong, [])
})

test('every message is used, and every text in the sources is a message', async () => {
  const sources = globSync('**/*.{ts,tsx}', { cwd: SOURCES })
    .filter(name => !name.startsWith('i18n/'))
    .map(name => readFileSync(join(SOURCES, name), 'utf8'))
    .join('\n')
  const spelt = new Set([...sources.matchAll(/['"`]([\w-]+\.[\w.$-]+(?:\{[^}]*\})?)/g)].map(match => match[1]!))
  const made = /^(state|word|app|rules\.edit|launch\.credits|volumeType|settings|transfers)\./ // Put together from a value of the API's or a choice.
  const unused = [...(await messages()).keys()].filter(key => !spelt.has(key) && !made.test(key))
  assert.deepEqual(unused, [])
})
