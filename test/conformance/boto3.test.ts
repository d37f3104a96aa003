/** boto3's own suite (boto3_suite.py) against the fake engine: one test here for each of its cases. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { keys, openServer } from './server.ts'

const suite = fileURLToPath(new URL('boto3_suite.py', import.meta.url))

/** The Python that ENCLUME_TEST_PYTHON names, or any that has boto3; a machine without one fails, as nothing was tested. */
function python(): string {
  const named = process.env.ENCLUME_TEST_PYTHON
  const candidates = named ? [named] : ['python3', '/usr/bin/python3']
  const found = candidates.find(candidate => spawnSync(candidate, ['-c', 'import boto3']).status === 0)
  assert.ok(found, `no boto3: ${named ? `ENCLUME_TEST_PYTHON=${named} can't import it` : 'set ENCLUME_TEST_PYTHON to a Python that has it'}`)
  return found
}

test('boto3', async t => {
  const command = python()
  const server = await openServer()
  try {
    const env = {
      PATH: process.env.PATH, HOME: '/nonexistent', AWS_ENDPOINT_URL: server.url, AWS_ACCESS_KEY_ID: keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: keys.secretAccessKey, AWS_DEFAULT_REGION: 'us-east-1', AWS_EC2_METADATA_DISABLED: 'true', ACCOUNT: keys.account,
    }
    const child = spawn(command, [suite], { env })
    const output = { out: '', err: '' }
    child.stdout.on('data', data => { output.out += data })
    child.stderr.on('data', data => { output.err += data })
    const status = await new Promise(resolve => child.on('close', resolve))
    const cases = output.out.split('\n').filter(line => line.startsWith('{')).map(line => JSON.parse(line) as Case)
    assert.ok(cases.length >= 20, `only ${cases.length} cases ran\n${output.err}`)
    for (const { name, failure } of cases) await t.test(name, () => assert.equal(failure, undefined))
    assert.equal(status, 0, output.err)
  } finally {
    await server.close()
  }
})
type Case = { name: string; failure?: string }
