import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plan, type Desired, type Life, type Seen, type State } from '#service/ec2/instance/plan'

/** What EC2 lets a caller see: every state and the states that may follow it. */
const follows: Record<State, State[]> = {
  pending: ['running', 'shutting-down', 'stopping'], running: ['stopping', 'shutting-down'], stopping: ['stopped', 'shutting-down'],
  stopped: ['pending', 'shutting-down'], 'shutting-down': ['terminated'], terminated: [],
}
/** The states that a caller may see while an act is under way. */
const during: Record<string, State[]> = {
  create: ['pending', 'stopping'], start: ['pending', 'running'], stop: ['stopping'], kill: ['shutting-down', 'stopping'],
  delete: ['shutting-down'], reboot: ['running'],
}
const after: Record<string, Seen['power']> = { create: 'off', start: 'on', stop: 'off', kill: 'off', delete: 'absent', reboot: 'on' }
const now = new Date('2026-01-01T00:00:00Z')

/** Walks every sequence of choices once: each run replays the last one up to its final choice and takes the next there. */
class Choices {
  #values: number[] = []
  #bounds: number[] = []
  #at = 0
  #started = false
  next(): boolean {
    this.#at = 0
    if (!this.#started) return (this.#started = true)
    for (let i = this.#values.length - 1; i >= 0; i--) {
      if (this.#values[i]! >= this.#bounds[i]! - 1) continue
      this.#values[i]!++
      this.#values.length = this.#bounds.length = i + 1
      return true
    }
    return false
  }
  pick<T>(from: readonly T[]): T {
    if (this.#at === this.#values.length) { this.#values.push(0); this.#bounds.push(from.length) }
    return from[this.#values[this.#at++]!]!
  }
}

class World {
  life: Life
  seen: Seen['power']
  asked: Desired
  time = now.getTime()
  boots = 1
  guestShutDown = false
  cut = false
  /** The guest's own reboot has reached the moment when the machine is off. */
  guestReboots = false
  lost = false
  owedReboots = 0
  ports: Seen['ports']
  everSeen: boolean
  constructor(life: Life, seen: Seen['power']) {
    this.life = life
    this.seen = seen
    this.asked = life.desired
    this.everSeen = life.created
  }

  become(change: Partial<Life>): void {
    if (change.state && change.state !== this.life.state) {
      assert.ok(follows[this.life.state].includes(change.state), `${this.life.state} -> ${change.state}`)
    }
    if (this.life.desired === 'terminated') assert.equal(change.desired ?? 'terminated', 'terminated')
    this.life = { ...this.life, ...change }
  }

  write(step: { write: string; [k: string]: any }): void {
    const { life } = this
    switch (step.write) {
      case 'created': return this.become({ created: true })
      case 'state': return this.become({ state: step.state })
      case 'want': return this.become({ desired: step.desired, state: step.state })
      case 'running':
        return this.become({
          state: 'running', created: true, suspended: false, rebootsDone: life.rebootsAsked, bootId: step.bootId, offSince: undefined,
        })
      case 'off': return this.become({ offSince: new Date(this.time).toISOString() })
      case 'stopped': return this.become({ state: 'stopped', suspended: false, offSince: undefined })
      case 'ports':
        assert.equal(this.ports, 'unwritten')
        this.ports = undefined
        return
      case 'terminated': return this.become({ state: 'terminated', forgetAt: new Date(this.time + 3_600_000).toISOString() })
      default: assert.fail(`unknown write ${step.write}`)
    }
  }

  /** One round of the loop; true when the instance rests. */
  round(fails: boolean): boolean {
    const step = plan(this.life, { power: this.seen, ports: this.ports, ...this.how() }, new Date(this.time))
    this.everSeen ||= this.seen === 'on' || this.life.created
    if ('rest' in step) return this.rest(step.againMs as number | undefined)
    if ('write' in step) { this.write(step as never); return false }
    const { act } = step as { act: string }
    if (act === 'ports') return this.movePorts(fails)
    assert.ok(during[act]!.includes(this.life.state), `${act} while ${this.life.state}`)
    const owed = this.cut || this.life.rebootsDone < this.life.rebootsAsked
    if (act === 'start') assert.ok(this.life.state === 'pending' || this.life.suspended || owed, 'started by itself')
    if (act === 'reboot') assert.ok(this.owedReboots > 0, 'a reboot that nobody is owed')
    if (act === 'create') assert.ok(!this.everSeen, 'made again after it was seen')
    if (fails) return false
    if (act === 'start' || act === 'reboot') { this.owedReboots = 0; this.boots++ }
    this.seen = after[act]!
    this.guestReboots = this.cut = false
    if (act === 'reboot') this.become({ rebootsDone: this.life.rebootsAsked })
    return false
  }

  how(): Partial<Seen> {
    return { bootId: this.seen === 'on' ? `${this.boots}` : undefined, ...(this.seen === 'off' && this.cut && { cut: true as const }) }
  }

  movePorts(fails: boolean): boolean {
    assert.equal(this.ports, 'apart')
    assert.ok(this.seen !== 'absent' && this.life.desired !== 'terminated', 'ports of a machine that goes')
    if (!fails) this.ports = 'unwritten'
    return false
  }

  /** While it waits whether a machine that went off comes back, time passes, and a guest that reboots does come back. */
  rest(againMs: number | undefined): boolean {
    if (this.life.desired !== 'running' || this.seen !== 'off') return true
    assert.ok(againMs, 'rests for ever on a machine that is off')
    this.time += againMs
    if (this.guestReboots) { this.seen = 'on'; this.boots++; this.owedReboots = 0; this.guestReboots = false }
    return false
  }

  user(wanted: Desired | 'reboot' | 'attach'): void {
    if (this.life.desired === 'terminated') return
    const { state } = this.life
    if (wanted === 'attach' && (state === 'running' || state === 'stopped')) this.ports = 'apart'
    if (wanted === 'reboot' && state === 'running') { this.owedReboots++; this.become({ rebootsAsked: this.life.rebootsAsked + 1 }) }
    if (wanted === 'stopped' && state === 'running') { this.become({ desired: wanted, state: 'stopping' }); this.asked = wanted }
    if (wanted === 'running' && state === 'stopped') { this.become({ desired: wanted, state: 'pending' }); this.asked = wanted }
    if (wanted === 'terminated') { this.become({ desired: wanted, state: 'shutting-down' }); this.asked = wanted }
  }

  disturb(choices: Choices): void {
    switch (choices.pick(['step', 'step fails', 'user', 'guest off', 'guest reboots', 'power cut', 'host loses it', 'enclume down'] as const)) {
      case 'step': this.round(false); break
      case 'step fails': this.round(true); break
      case 'guest off':
        if (this.seen === 'on') { this.seen = 'off'; this.guestShutDown ||= this.life.state === 'running' && !this.life.suspended }
        break
      case 'power cut':
        if (this.seen === 'on') { this.seen = 'off'; this.cut = true }
        break
      case 'guest reboots':
        if (this.seen === 'on') { this.seen = 'off'; this.guestReboots = true }
        break
      case 'host loses it': if (this.seen !== 'absent') { this.seen = 'absent'; this.lost ||= this.life.created } break
      case 'enclume down':
        if (this.life.state === 'running' && this.life.desired === 'running' && this.seen === 'on') {
          this.become({ suspended: true })
          this.seen = 'off'
        }
        break
      case 'user': this.user(choices.pick(['stopped', 'running', 'terminated', 'reboot', 'attach'] as const))
    }
  }
}

test('every history of four disturbed rounds stays legal and settles as asked once left alone', () => {
  const choices = new Choices()
  let histories = 0
  while (choices.next()) {
    histories++
    const [desired, state, created, seen] = choices.pick([
      ['running', 'pending', false, 'absent'], ['running', 'running', true, 'on'], ['stopped', 'stopped', true, 'off'],
    ] as const)
    const onShutdown = choices.pick(['stop', 'terminate'] as const)
    const life: Life = { desired, state, created, onShutdown, force: false, rebootsAsked: 0, rebootsDone: 0, suspended: false }
    const world = new World(life, seen)
    for (let n = 0; n < 4; n++) world.disturb(choices)
    let rounds = 0
    while (!world.round(false)) assert.ok(++rounds < 25, `does not settle: ${JSON.stringify(world)}`)
    if (world.lost) assert.equal(world.life.desired, 'terminated', 'lost but not terminated')
    else if (!world.guestShutDown) assert.equal(world.life.desired, world.asked, 'not what was asked')
    if (world.life.state === 'running') assert.equal(world.life.rebootsDone, world.life.rebootsAsked, 'a reboot forgotten')
    if (world.life.desired !== 'terminated') assert.equal(world.ports, undefined, 'an interface forgotten')
    const settled = { running: ['running', 'on'], stopped: ['stopped', 'off'], terminated: ['terminated', 'absent'] }
    assert.deepEqual([world.life.state, world.seen], settled[world.life.desired])
  }
  assert.ok(histories > 5000, String(histories))
})

test('a terminated record rests for its hour and is then forgotten', () => {
  const life: Life = {
    desired: 'terminated', state: 'terminated', created: true, onShutdown: 'stop', force: false, rebootsAsked: 0, rebootsDone: 0,
    suspended: false, forgetAt: new Date(now.getTime() + 5000).toISOString(),
  }
  assert.deepEqual(plan(life, { power: 'absent' }, now), { rest: true, againMs: 5000 })
  assert.deepEqual(plan(life, { power: 'absent' }, new Date(now.getTime() + 5000)), { write: 'forget' })
})

test('what went off by itself is waited for once more where the clock was put back, and not until that time comes again', () => {
  const life: Life = {
    desired: 'running', state: 'running', created: true, onShutdown: 'stop', force: false, rebootsAsked: 0, rebootsDone: 0, suspended: false,
    offSince: now.toISOString(),
  }
  const at = (ms: number) => plan(life, { power: 'off' }, new Date(now.getTime() + ms))
  assert.deepEqual([at(-1), at(-86_400_000), at(0)], [{ write: 'off' }, { write: 'off' }, { rest: true, againMs: 500 }])
  assert.deepEqual(at(86_400_000), {
    write: 'want', desired: 'stopped', state: 'stopping',
    reason: { code: 'Client.InstanceInitiatedShutdown', message: 'Client.InstanceInitiatedShutdown: Instance initiated shutdown' },
  })
})

test('ports that are apart keep neither a stop nor a check waiting, and are moved before a start', () => {
  const life: Life = {
    desired: 'running', state: 'running', created: true, onShutdown: 'stop', force: false, rebootsAsked: 0, rebootsDone: 0, suspended: false,
    bootId: '1',
  }
  const next = (change: Partial<Life>, power: Seen['power'], reachable?: boolean) =>
    plan({ ...life, ...change }, { power, bootId: '1', ports: 'apart', reachable }, now)
  assert.deepEqual([
    next({}, 'on'), next({}, 'on', true), next({ state: 'pending' }, 'off'), next({ desired: 'stopped', state: 'stopping' }, 'on'),
    next({ desired: 'stopped', state: 'stopped' }, 'off'), next({ desired: 'terminated', state: 'shutting-down' }, 'off'),
  ], [{ act: 'ports' }, { write: 'reachable' }, { act: 'ports' }, { act: 'stop' }, { act: 'ports' }, { act: 'delete' }])
})

test('a forced stop does not wait for the guest', () => {
  const life: Life = {
    desired: 'stopped', state: 'stopping', created: true, onShutdown: 'stop', force: true, rebootsAsked: 0, rebootsDone: 0, suspended: false,
  }
  assert.deepEqual(plan(life, { power: 'on' }, now), { act: 'kill' })
})
