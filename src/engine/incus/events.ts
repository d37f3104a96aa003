/**
 * Changes of power, as the daemon tells them on a stream that stays open.
 *
 * Invariant: it survives the daemon's absence by asking again; what happened meanwhile is not told, so who listens must also
 * look by itself now and then.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Log } from '#base/log'
import type { MachineEvent } from '#engine/port'
import { IncusError, Unreachable, type Client } from '#engine/incus/client'

const AGAIN_MS = 500
const EVENTS: Record<string, MachineEvent['event']> = {
  'instance-started': 'started', 'instance-stopped': 'stopped', 'instance-shutdown': 'shutdown', 'instance-restarted': 'restarted',
  'instance-deleted': 'deleted',
}

/** Undefined for what is no change of a machine's power. */
export function parseEvent(message: string): MachineEvent | undefined {
  const { type, metadata } = JSON.parse(message) as { type: string; metadata: { action?: string; source?: string } }
  const event = type === 'lifecycle' ? EVENTS[metadata.action ?? ''] : undefined
  const id = /^\/1\.0\/instances\/([^/?]+)/.exec(metadata.source ?? '')?.[1]
  return event && id !== undefined ? { id: decodeURIComponent(id), event } : undefined
}

export function watchMachines(client: Client, callback: (event: MachineEvent) => void, log: Log): () => void {
  const end = new AbortController()
  const each = (message: string) => {
    const event = parseEvent(message)
    if (event) callback(event)
  }
  void (async () => {
    while (!end.signal.aborted) {
      try {
        await client.messages('/1.0/events?type=lifecycle', each, end.signal)
      } catch (error) {
        if (end.signal.aborted) return
        if (!(error instanceof Unreachable) && !(error instanceof IncusError)) log.error('a listener to machines failed', { error })
      }
      await delay(AGAIN_MS, undefined, { signal: end.signal }).catch(() => {})
    }
  })()
  return () => end.abort()
}
