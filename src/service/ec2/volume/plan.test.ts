import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plan } from '#service/ec2/volume/plan'
import type { Attachment, Seen, Spec, Status } from '#service/ec2/volume/volume'

const attachment: Attachment = { instance: 'i-1', device: '/dev/xvda', deleteOnTermination: true, time: '', root: true }
const states: Status['state'][] = ['creating', 'available', 'in-use', 'deleting', 'error']
const disks: Record<string, Seen> = {
  absent: 'absent', whole: { sizeGiB: 8, attachedTo: [] }, small: { sizeGiB: 4, attachedTo: [] }, used: { sizeGiB: 8, attachedTo: ['i-1'] },
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
    available: { absent: 'lost', whole: 'rest', small: 'rest', used: 'rest' },
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
    'in-use': { absent: 'lost', whole: 'rest', small: 'rest', used: 'rest' },
    deleting: { absent: 'lost', whole: settled, small: settled, used: settled },
    error: { absent: 'rest', whole: settled, small: settled, used: settled },
  })
})

test('a volume whose disk was never whole stays in error, whatever is there', () => {
  assert.deepEqual(table('present', {}).error, { absent: 'rest', whole: 'rest', small: 'rest', used: 'rest' })
})
