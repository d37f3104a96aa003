/**
 * What the server tells by itself: that kinds of things have changed, and that it is there.
 *
 * Invariant: while there is no stream the server counts as lost; with each new stream everything shown is loaded anew.
 */
import { onSessionEnd } from './session'

const listeners = new Set<(kinds: Set<string> | 'all') => void>()
const states = new Set<(online: boolean) => void>()
let source: EventSource | undefined
let online = true
let timer: number | undefined
const RETRY_MS = 1000

const tell = (kinds: Set<string> | 'all'): void => {
  for (const listener of listeners) listener(kinds)
}
function setOnline(now: boolean): void {
  if (online === now) return
  online = now
  for (const state of states) state(now)
}

export function startLive(): void {
  if (source) return
  source = new EventSource('/_console/events')
  source.addEventListener('ready', () => {
    setOnline(true)
    tell('all')
  })
  source.addEventListener('change', event => tell(new Set((JSON.parse((event as MessageEvent<string>).data) as { kinds: string[] }).kinds)))
  source.addEventListener('error', () => {
    source?.close()
    source = undefined
    clearTimeout(timer)
    timer = window.setTimeout(retry, RETRY_MS)
  })
}

/** The stream broke: the session has ended, or the server is gone. */
async function retry(): Promise<void> {
  try {
    const response = await fetch('/_console/session', { method: 'POST', headers: { 'x-enclume-console': '1' } })
    if (response.status === 401) return void ended()
    startLive()
  } catch {
    setOnline(false)
    timer = window.setTimeout(retry, RETRY_MS)
  }
}

let ended = (): void => {}
export function onLiveEnd(callback: () => void): void {
  ended = callback
  onSessionEnd(callback)
}

export function stopLive(): void {
  clearTimeout(timer)
  source?.close()
  source = undefined
}

/** Called for kinds that changed. Returns what ends it. */
export function onChange(callback: (kinds: Set<string> | 'all') => void): () => void {
  listeners.add(callback)
  return () => listeners.delete(callback)
}
export function onOnline(callback: (online: boolean) => void): () => void {
  states.add(callback)
  return () => states.delete(callback)
}
