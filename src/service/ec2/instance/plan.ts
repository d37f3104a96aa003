/**
 * The life of an instance as one table: what is wanted, against what is there.
 *
 * Pure. There is no undo: a failure is a new desired state. Once it has booted, or was seen and is not about to, a machine is made for
 * good: what is lost later is lost, never made again empty. While an act runs, the record already shows the state that EC2 shows meanwhile.
 */
import { rest, type Step } from '#loop/loop'

export type Desired = 'running' | 'stopped' | 'terminated'
/**
 * `bootId` changes with every boot. `cut`: off because its host went down under it. `reachable`: whether the guest answers on its
 * network; undefined where that was not or could not be looked at.
 */
export type Seen = {
  power: 'absent' | 'off' | 'on'
  bootId?: string
  cut?: true
  reachable?: boolean
  /** 'apart': the machine's ports are not those that are wanted; 'unwritten': they are, and the interfaces don't say so yet. */
  ports?: 'apart' | 'unwritten'
  /** The same of its disks; of 'unwritten', those that its guest has still mounted. 'busy': it waits for the guest alone. */
  disks?: 'apart' | 'busy' | { busy: string[] }
  /** An image that is being made of it: 'held', nobody has let its snapshots be taken yet; 'pending', they are being taken; 'done'. */
  imaging?: 'held' | 'pending' | 'done'
  /** It runs on a root disk that is to be another, which is there. */
  swaps?: true
}
export type State = 'pending' | 'running' | 'stopping' | 'stopped' | 'shutting-down' | 'terminated'
export type Reason = { code: string; message: string }

/** The part of an instance's record that its life depends on. */
export type Life = {
  desired: Desired
  state: State
  /** The machine has been seen (plan says when this counts). */
  created: boolean
  onShutdown: 'stop' | 'terminate'
  /** Asked to stop without waiting for the guest. */
  force: boolean
  rebootsAsked: number
  rebootsDone: number
  /** Enclume itself went down in order and stopped the machine: it is started again, and nothing else changes. */
  suspended: boolean
  /** The boot that the rest of this is about. */
  bootId?: string
  /** Since when the machine of a running instance is seen off. */
  offSince?: string
  /** When the guest first answered after its start, and since when it no longer does. */
  reachableSince?: string
  impairedSince?: string
  /** When a terminated record may go: it stays visible for about an hour (EC2 User Guide, "Terminate instances"). */
  forgetAt?: string
}

export const initiated: Reason = {
  code: 'Client.InstanceInitiatedShutdown', message: 'Client.InstanceInitiatedShutdown: Instance initiated shutdown',
}
export const lostReason: Reason = { code: 'Server.InternalError', message: 'Server.InternalError: Internal error on launch' }

const become = (state: State): Step => ({ write: 'state', state })
const want = (desired: Desired, state: State, reason: Reason): Step => ({ write: 'want', desired, state, reason })
/** The act, once the record shows the state that belongs to it. */
const during = (life: Life, state: State, act: string): Step => (life.state === state ? { act } : become(state))

/** A machine whose guest reboots is off for a while (1 s was measured): only one that stays off longer has been shut down. */
const REBOOT_MS = 5000

/** How often a guest that has not answered yet is asked, and one that has. */
const CHECK = { soonMs: 500, steadyMs: 60_000 }

/** Status checks of a running instance. */
function check({ reachableSince, impairedSince }: Life, { reachable }: Seen): Step {
  if (reachable === true && !reachableSince) return { write: 'reachable' }
  if (reachable === false && reachableSince && !impairedSince) return { write: 'impaired' }
  return { rest: true, againMs: reachableSince ? CHECK.steadyMs : CHECK.soonMs }
}

const table: Record<Desired, Record<Seen['power'], (life: Life, now: Date, seen: Seen) => Step>> = {
  running: {
    absent: life => (life.created ? want('terminated', 'shutting-down', lostReason) : { act: 'create' }),
    off(life, now, seen) {
      if (life.suspended || life.state === 'pending' || life.rebootsDone < life.rebootsAsked) return { act: 'start' }
      if (life.offSince === undefined) return { write: 'off' }
      const left = Date.parse(life.offSince) + REBOOT_MS - now.getTime()
      if (left > REBOOT_MS) return { write: 'off' } // The clock was put back: it is counted anew.
      if (left > 0) return { rest: true, againMs: Math.min(left, CHECK.soonMs) }
      if (seen.cut) return { act: 'start' }
      return life.onShutdown === 'stop' ? want('stopped', 'stopping', initiated) : want('terminated', 'shutting-down', initiated)
    },
    on(life, _, seen) {
      // A boot answers every reboot that was asked for before it, also one typed inside or one done just before a crash.
      const booted = seen.bootId !== life.bootId || life.offSince !== undefined
      if (booted || life.suspended || life.state !== 'running') return { write: 'running', bootId: seen.bootId }
      return life.rebootsDone < life.rebootsAsked ? { act: 'reboot' } : check(life, seen)
    },
  },
  stopped: {
    absent: life => (life.created ? want('terminated', 'shutting-down', lostReason) : { act: 'create' }),
    off: life => (life.state === 'stopped' ? rest : { write: 'stopped' }),
    on: life => during(life, 'stopping', life.force ? 'kill' : 'stop'),
  },
  terminated: {
    absent(life, now) {
      if (life.state !== 'terminated') return { write: 'terminated' }
      const left = Date.parse(life.forgetAt ?? '') - now.getTime()
      return left > 0 ? { rest: true, againMs: Math.min(left, 3_600_000) } : { write: 'forget' }
    },
    off: life => during(life, 'shutting-down', 'delete'),
    on: life => during(life, 'shutting-down', 'kill'),
  },
}

/** Whether ports and disks may be moved instead: while there is nothing else to do, and before a start. */
const yields = (step: Step, { desired }: Life, { power }: Seen): boolean =>
  power !== 'absent' && desired !== 'terminated' && ('rest' in step || ('act' in step && step.act === 'start'))

/** An interface that can't be had keeps nothing else waiting. */
function ports(step: Step, life: Life, seen: Seen): Step {
  if (seen.ports === undefined || !yields(step, life, seen)) return step
  return seen.ports === 'apart' ? { act: 'ports' } : { write: 'ports' }
}

/** How often a guest is asked whether it has let a disk go. */
const BUSY_MS = 1000

function disks(step: Step, life: Life, seen: Seen): Step {
  if (seen.disks === undefined || !yields(step, life, seen)) return step
  if (seen.disks === 'busy') return 'rest' in step ? { rest: true, againMs: Math.min(BUSY_MS, Number(step.againMs ?? BUSY_MS)) } : step
  return seen.disks === 'apart' ? { act: 'disks' } : { write: 'disks', busy: seen.disks.busy }
}

/**
 * An image is made of a machine that is off, whose guest has ended in order. A machine that ran is marked as suspended first, so that it is
 * started again whatever happens; one that ends meanwhile lets its snapshots be taken of what is there.
 */
function imaging(step: Step, life: Life, seen: Seen): Step {
  if (seen.imaging === undefined) return step
  if (seen.imaging === 'done' || life.desired === 'terminated' || seen.power === 'absent') return { write: 'imaged' }
  if (seen.power === 'off') return seen.imaging === 'held' ? { write: 'quiet' } : { act: 'image' }
  if (life.desired !== 'running' || life.state !== 'running') return step
  return pause(life)
}

/** Off for a while, in order: it may run again meanwhile, as after an Enclume that went down. */
const pause = (life: Life): Step => (life.suspended ? { act: 'stop' } : { write: 'suspend' })

const swapping = (step: Step, life: Life, seen: Seen): Step =>
  (seen.swaps && seen.power === 'on' && life.desired === 'running' && life.state === 'running' ? pause(life) : step)

/** It was made to boot now: `running` tells that it has been seen, and nobody waits for that to be written before. */
const isFirstBoot = ({ desired, state }: Life): boolean => desired === 'running' && state === 'pending'

export function plan(life: Life, seen: Seen, now: Date): Step {
  if (seen.power !== 'absent' && !life.created && !isFirstBoot(life)) return { write: 'created' }
  const step = table[life.desired][seen.power](life, now, seen)
  return [ports, disks, imaging, swapping].reduce((chosen, over) => over(chosen, life, seen), step)
}
