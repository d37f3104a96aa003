/** The phases of a boot, read from what real instances printed on their consoles. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { phasesOf } from '../../console/src/api/boot-log.ts'

const read = (name: string): string => readFileSync(join(import.meta.dirname, 'data', `${name}.txt`), 'utf8')
const seen = (log: string): string[] =>
  Object.entries(phasesOf(log))
    .filter(([, value]) => value === true)
    .map(([name]) => name)
const before = (log: string, mark: string): string => log.slice(0, log.indexOf(mark))

test('each phase is seen as the log grows', () => {
  const log = read('console-boot')
  const marks = ["running 'init'", "running 'modules:config'", "running 'modules:final'", 'hello from user data', 'finished at']
  assert.deepEqual(
    marks.map(mark => seen(before(log, mark))),
    [[], ['dhcp'], ['dhcp', 'imds'], ['dhcp', 'imds', 'userData'], ['dhcp', 'imds', 'userData']],
  )
  assert.deepEqual(phasesOf(log), { dhcp: true, imds: true, userData: true, failed: false, ready: true, userDataLog: 'hello from user data' })
})

test('a script that has pushed all earlier lines out of the console still runs', () => {
  const phases = phasesOf(read('console-course-tail'))
  assert.deepEqual({ ...phases, userDataLog: phases.userDataLog.split('\n').at(-1) }, {
    dhcp: true, imds: true, userData: true, failed: false, ready: false, userDataLog: 'Server running on port 80',
  })
  assert.doesNotMatch(phases.userDataLog, /cloud-init\[/)
})

test('a script that failed is said to have failed', () => {
  const { failed, ready, userDataLog } = phasesOf(read('console-failed-tail'))
  assert.deepEqual([failed, ready, userDataLog.split('\n')[0]], [true, true, 'before'])
})

test('an empty log is no phase', () => {
  assert.deepEqual(seen(''), [])
})
