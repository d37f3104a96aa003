import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readArgs, readNumber, readSizeGiB } from '#launch/args'
import { Failure } from '#launch/failure'

const misused = (expected: RegExp) => (error: unknown) => error instanceof Failure && error.exitCode === 2 && expected.test(error.message)

test('a command line is a command, its options and its operands', () => {
  const lines = ['up --port 5000 --home=/srv/e', 'logs -f -n 5 incus', 'test unit e2e --bench', '--version', '', 'up --help']
  const read = lines.map(line => readArgs(line.split(' ').filter(Boolean)))
  assert.deepEqual(read.map(args => ({ ...args, options: { ...args.options } })), [
    { command: 'up', options: { port: '5000', home: '/srv/e' }, operands: [] },
    { command: 'logs', options: { follow: true, lines: '5' }, operands: ['incus'] },
    { command: 'test', options: { bench: true }, operands: ['unit', 'e2e'] },
    { command: 'version', options: {}, operands: [] },
    { command: 'help', options: {}, operands: [] },
    { command: 'help', options: {}, operands: ['up'] },
  ])
})

test('what a command does not know is refused with exit code 2', () => {
  assert.throws(() => readArgs(['start']), misused(/no command 'start'/))
  assert.throws(() => readArgs(['toString']), misused(/no command/))
  assert.throws(() => readArgs(['up', '--prot', '1']), misused(/up: Unknown option '--prot'/))
  assert.throws(() => readArgs(['up', '--port']), misused(/up: Option '--port <value>' argument missing/))
  assert.throws(() => readArgs(['down', 'now']), misused(/down: what is 'now'/))
  assert.throws(() => readArgs(['down', '--keep-running=no']), misused(/down: /))
})

test('numbers and sizes are whole and within bounds', () => {
  const port = (text: string) => readNumber('port', text, { least: 1, most: 65535 })
  assert.equal(port('8080'), 8080)
  for (const text of ['0', '65536', '-1', '1e3', '', ' 1', '0x10']) assert.throws(() => port(text), misused(/--port/))
  const sizes = ['100', '100G', '100GiB', '100gb', '2T', '1TiB']
  assert.deepEqual(sizes.map(text => readSizeGiB('disk', text)), [100, 100, 100, 100, 2048, 1024])
  for (const text of ['0', '10M', '1.5G', 'big', '']) assert.throws(() => readSizeGiB('disk', text), misused(/--disk/))
})
