/** The console's page has the EC2 operations that it asks, and carries no others. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import * as sdk from '@aws-sdk/client-ec2'

const SOURCES = fileURLToPath(new URL('../console/src', import.meta.url))

test('every EC2 operation that the console spells is in its page, and nothing else of the SDK is', () => {
  const all = Object.keys(sdk).filter(name => name.endsWith('Command') && name !== '$Command')
  const spelt = new Set(globSync('**/*.{ts,tsx}', { cwd: SOURCES })
    .flatMap(name => [...readFileSync(join(SOURCES, name), 'utf8').matchAll(/['"`]([A-Z]\w+)['"`]/g)].map(match => `${match[1]}Command`)))
  const built = [...readFileSync(join(SOURCES, 'api/ec2.ts'), 'utf8').matchAll(/\b\w+Command\b/g)].map(([name]) => name)
  assert.deepEqual(built.sort(), all.filter(name => spelt.has(name)).sort())
})
