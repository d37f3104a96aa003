import assert from 'node:assert/strict'
import { test } from 'node:test'
import { behind, givenUp, read } from './audit.ts'

const report = (severity?: string): string =>
  JSON.stringify({
    auditReportVersion: 2,
    vulnerabilities: severity ? { left: { severity, via: [{ title: 'It hangs', url: 'https://example.com/1' }, 'right'] } } : {},
    metadata: { vulnerabilities: { moderate: severity === 'moderate' ? 1 : 0, high: severity === 'high' ? 1 : 0 } },
  })

test('an audit is fine only where an answer came and names nothing grave', () => {
  const heard = [report(), report('moderate'), report('high'), report('critical'), '{"message":"405 Method Not Allowed","statusCode":405}',
    '{"error":{"summary":"getaddrinfo ENOTFOUND"}}', '', '{}']
  assert.deepEqual(heard.map(json => read(json).audit),
    ['fine', 'fine', 'findings', 'findings', 'not to be had', 'not to be had', 'not to be had', 'not to be had'])
})

test('what was found is named, and why nothing could be had', () => {
  assert.deepEqual([read(report('high')).lines, read('{"message":"405 Method Not Allowed"}').lines[0]],
    [['high: left: It hangs (https://example.com/1); right', '0 moderate, 1 high'], 'no advisories could be had: 405 Method Not Allowed'])
})

test('what has a newer version is told as a fact, with the newest of its major, and no answer is none', () => {
  const outdated = JSON.stringify({ left: { current: '1.2.0', latest: '2.0.0' }, right: { current: '3.0.0', latest: '4.0.0' } })
  const within = (name: string): string | undefined => (name === 'left' ? '1.9.1' : undefined)
  assert.deepEqual(
    [behind(outdated, within), behind('{}', within), behind('{"error":{"summary":"no network"}}', within), behind('', within)],
    [
      ['behind: left 1.2.0; of its major 1.9.1, of all 2.0.0', 'behind: right 3.0.0; of its major unknown, of all 4.0.0'],
      ['each direct dependency is the newest version that the registry has'],
      ['which packages have newer versions could not be had: no network'],
      ['which packages have newer versions could not be had: npm gave no report'],
    ],
  )
})

test('packages that were given up are named', () => {
  const lock = (deprecated?: string): string => JSON.stringify({ packages: { '': {}, 'node_modules/a/node_modules/left': { deprecated } } })
  assert.deepEqual([givenUp(lock('Use right')), givenUp(lock())],
    [['deprecated: left: Use right'], ['none of 1 packages was deprecated when the lock file was written']])
})
