import assert from 'node:assert/strict'
import { test } from 'node:test'
import { read } from './audit.ts'

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
