import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plan } from '#service/ec2/volume/plan'
import type { Attachment, Seen, Spec, Status } from '#service/ec2/volume/volume'

const attachment: Attachment = { instance: 'i-1', device: '/dev/xvda', deleteOnTermination: true, time: '', root: true }
const states: Status['state'][] = ['creating', 'available', 'in-use', 'deleting', 'error']
const whole = { sizeGiB: 8 }
const disks: Record<string, Seen> = {
  absent: { disk: 'absent' }, whole: { disk: whole }, small: { disk: { sizeGiB: 4 } },
  used: { disk: whole, used: true },
}

/** The plan of every state of a volume, seen in every way, in words. */
function table(desired: Spec['desired'], more: { attached?: boolean; made?: true }) {
  const spec: Spec = { zone: 'us-east-1a', sizeGiB: 8, type: 'gp3', desired, ...(more.attached && { attachment }) }
  return Object.fromEntries(states.map(state => [state, Object.fromEntries(Object.entries(disks).map(([name, seen]) => {
    const step = plan({ spec, status: { state, made: more.made } }, seen)
    if ('rest' in step) return [name, step.againMs ? 'rest a while' : 'rest']
    return [name, 'act' in step ? step.act : [step.write, step.state].filter(Boolean).join(' ')]
  }))]))
}
const all = (row: Record<string, string>) => Object.fromEntries(states.map(state => [state, row]))

test('a volume that is to go is deleted once no machine uses it, and its record last, whatever its state', () => {
  assert.deepEqual(table('absent', {}), all({ absent: 'remove', whole: 'delete', small: 'delete', used: 'rest a while' }))
})

test('a free volume is made, settles as available and is never made twice', () => {
  const settled = 'settled available'
  assert.deepEqual(table('present', { made: true }), {
    creating: { absent: 'create', whole: settled, small: 'create', used: settled },
    available: { absent: 'lost', whole: 'rest', small: 'grow', used: 'rest' },
    'in-use': { absent: 'lost', whole: settled, small: settled, used: settled },
    deleting: { absent: 'lost', whole: settled, small: settled, used: settled },
    error: { absent: 'rest', whole: settled, small: settled, used: settled },
  })
})

test('an attached volume settles as in use', () => {
  const settled = 'settled in-use'
  assert.deepEqual(table('present', { made: true, attached: true }), {
    creating: { absent: 'create', whole: settled, small: 'create', used: settled },
    available: { absent: 'lost', whole: settled, small: settled, used: settled },
    'in-use': { absent: 'lost', whole: 'rest', small: 'grow', used: 'rest' },
    deleting: { absent: 'lost', whole: settled, small: settled, used: settled },
    error: { absent: 'rest', whole: settled, small: settled, used: settled },
  })
})

test('a volume whose disk was never whole stays in error, whatever is there', () => {
  assert.deepEqual(table('present', {}).error, { absent: 'rest', whole: 'rest', small: 'rest', used: 'rest' })
})

test('a volume is held to its rates, and its modification ends when the disk has its size and they hold', () => {
  const limits = { iops: 3000, bytesPerSecond: 1 }
  const spec: Spec = { zone: 'us-east-1a', sizeGiB: 8, type: 'gp3', desired: 'present' }
  const shape = { sizeGiB: 8, type: 'gp3' as const }
  const status: Status = { state: 'available', modification: { from: shape, to: shape, start: '', state: 'modifying' } }
  assert.deepEqual([
    plan({ spec, status }, { disk: whole, limits }), plan({ spec, status: { ...status, limits } }, { disk: whole, limits }),
    plan({ spec, status: { ...status, limits } }, { disk: whole }), plan({ spec: { ...spec, sizeGiB: 9 }, status }, { disk: whole, limits }),
  ], [{ act: 'limit' }, { write: 'modified' }, { act: 'limit' }, { act: 'grow' }])
})

test('a disk that something is still copied from is kept', () => {
  const spec: Spec = { zone: 'us-east-1a', sizeGiB: 8, type: 'gp3', desired: 'absent' }
  assert.deepEqual(plan({ spec, status: { state: 'deleting' } }, { disk: whole, copied: true }), { rest: true, againMs: 1000 })
})
