/** Messages: each is said once, in both languages, and names the same things in both. */
import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

type Pair = readonly [en: string, fr: string]
const AREAS = join(import.meta.dirname, '../../console/src/i18n')
const areas = await Promise.all(globSync('*.ts', { cwd: AREAS }).filter(name => name !== 'text.ts').map(name => import(join(AREAS, name))))
const pairs: [string, Pair][] = areas.flatMap(area => Object.values(area)).flatMap(one => Object.entries(one as Record<string, Pair>))

test('no message is in two areas, where one would hide the other', () => {
  const names = pairs.map(([name]) => name)
  assert.ok(names.length > 500)
  assert.deepEqual(names.filter((name, i) => names.indexOf(name) !== i), [])
})

test('both languages say something, with the same places for what is filled in', () => {
  const places = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!).sort()
  const unlike = pairs.filter(([, [en, fr]]) => en === '' || fr === '' || String(places(en)) !== String(places(fr)))
  assert.deepEqual(unlike, [])
})

test('French has its own units, and its signs stand off as the language wants it', () => {
  const wrong = pairs.filter(([, [, fr]]) => /\b[KMGT]iB\b|[^\s\u00a0][:;?!»](?=\s|$)/.test(fr.replace(/https?:\/\/\S+/g, '')))
  assert.deepEqual(wrong, [])
})
