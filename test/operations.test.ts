/** The console's page has the EC2 operations that it asks, and carries no others. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import * as sdk from '@aws-sdk/client-ec2'
import * as iam from '@aws-sdk/client-iam'

const SOURCES = fileURLToPath(new URL('../console/src', import.meta.url))

const sources = globSync('**/*.{ts,tsx}', { cwd: SOURCES }).map(name => readFileSync(join(SOURCES, name), 'utf8')).join('\n')
const commands = (from: object): string[] => Object.keys(from).filter(name => name.endsWith('Command') && name !== '$Command')

test('no EC2 operation is put together from parts, which nobody could find', () => {
  const others = commands(iam)
  const gaps = [...sources.matchAll(/`([A-Z]\w*\$\{[^}]+\}\w*|\$\{[^}]+\?[^}]+\}\w*)`/g)]
    .map(match => new RegExp(`^${match[1]!.replace(/\$\{[^}]+\}/, '\\w+')}Command$`))
  const fits = (names: string[]) => (gap: RegExp): boolean => gap.source.length > '^\\w+Command$'.length && names.some(name => gap.test(name))
  assert.deepEqual(gaps.filter(fits(commands(sdk))).filter(gap => !fits(others)(gap)).map(String), [])
})

test('every EC2 operation that the console spells is in its page, and nothing else of the SDK is', () => {
  const spelt = new Set([...sources.matchAll(/['"`]([A-Z]\w+)['"`]/g)].map(match => `${match[1]}Command`))
  const built = [...readFileSync(join(SOURCES, 'api/ec2.ts'), 'utf8').matchAll(/\b\w+Command\b/g)].map(([name]) => name)
  assert.deepEqual(built.sort(), commands(sdk).filter(name => spelt.has(name)).sort())
})
