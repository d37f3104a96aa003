import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { homeAt } from '#base/home'
import { findConfig, getHome, homeDirOf, readChoices, settle, writeConfig } from '#launch/config'

const scratch = (t: TestContext): string => {
  const dir = mkdtempSync(join(tmpdir(), 'enclume-config-'))
  t.after(() => rmSync(dir, { recursive: true }))
  return dir
}
const config = { slot: 3, port: 4596, consolePort: 4600, region: 'eu-west-3', diskGiB: 50 }

test('the home is that of --home, else of ENCLUME_HOME, else the default', () => {
  assert.deepEqual([
    homeDirOf({ options: { home: '/srv/a/' } }, { ENCLUME_HOME: '/srv/b' }), homeDirOf({ options: {} }, { ENCLUME_HOME: '/srv/b' }),
    homeDirOf({ options: {} }, { ENCLUME_HOME: '' }),
  ], ['/srv/a', '/srv/b', '/var/lib/enclume'])
  assert.throws(() => homeDirOf({ options: { home: '/srv/a b' } }, {}), /letters, digits/)
})

test('choices are remembered, and the layout follows from them', t => {
  const dir = scratch(t)
  assert.equal(findConfig(dir), undefined)
  assert.throws(() => getHome(dir), /no Enclume in/)
  writeConfig(dir, config)
  assert.deepEqual([findConfig(dir), readdirSync(dir)], [config, ['config.json']])
  const { prefix, port, run, region } = getHome(dir)
  assert.deepEqual({ prefix, port, run, region }, { prefix: 'en3', port: 4596, run: '/run/enclume-3', region: 'eu-west-3' })
})

test('a config that is not JSON is named, not replaced', t => {
  const dir = scratch(t)
  writeFileSync(join(dir, 'config.json'), '{')
  assert.throws(() => findConfig(dir), /config\.json is not JSON/)
})

test('new choices win over remembered ones, and those over the defaults of the slot', () => {
  const none = readChoices({ options: {} })
  assert.deepEqual(settle({ chosen: none, before: undefined, slot: 2, diskGiB: 40 }),
    { slot: 2, port: 4586, consolePort: 4590, region: 'us-east-1', diskGiB: 40 })
  assert.deepEqual(settle({ chosen: none, before: config, slot: 3, diskGiB: 40 }), config)
  assert.deepEqual(settle({ chosen: readChoices({ options: { port: '80', region: 'us-west-2' } }), before: config, slot: 3, diskGiB: 40 }),
    { ...config, port: 80, region: 'us-west-2' })
  const [off, on] = ['off', 'on'].map(throttle => readChoices({ options: { throttle } }))
  const free = settle({ chosen: off!, before: config, slot: 3, diskGiB: 40 })
  assert.deepEqual([free, settle({ chosen: none, before: free, slot: 3, diskGiB: 40 }), settle({ chosen: on!, before: free, slot: 3, diskGiB: 40 })],
    [{ ...config, unthrottled: true }, { ...config, unthrottled: true }, config])
  assert.throws(() => readChoices({ options: { throttle: 'half' } }), /--throttle takes on or off/)
})

test('throttling of requests is off until it is chosen, and remembered until it is put off', () => {
  const chosen = (...options: Record<string, string>[]) => options.reduce((before, option) =>
    settle({ chosen: readChoices({ options: option }), before, slot: 3, diskGiB: 40 }), config)
  const [on, off] = ['on', 'off'].map(choice => ({ 'api-throttle': choice }))
  assert.deepEqual([chosen({}), chosen(on!), chosen(on!, {}), chosen(on!, off!)],
    [config, { ...config, apiThrottle: true }, { ...config, apiThrottle: true }, config])
  assert.deepEqual([config, chosen(on!)].map(({ ...choices }) => homeAt({ dir: '/srv/a', ...choices }).apiThrottle), [undefined, true])
  assert.throws(() => readChoices({ options: { 'api-throttle': '' } }), /--api-throttle takes on or off/)
})

test('what cannot hold is refused', () => {
  const chosen = (options: Record<string, string>) => () =>
    settle({ chosen: readChoices({ options }), before: config, slot: 3, diskGiB: 40 })
  assert.throws(chosen({ disk: '60' }), /made with 50 GiB/)
  assert.throws(chosen({ port: '4600' }), /cannot share port 4600/)
  assert.throws(chosen({ region: 'Paris!' }), /--region/)
  assert.throws(chosen({ slot: '8' }), /--slot/)
})
