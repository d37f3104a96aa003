/** Messages at the top of the page. */
import { useSyncExternalStore } from 'react'

export type Flash = { id: string; type: 'success' | 'error' | 'info' | 'warning'; header?: string; content: string; loading?: boolean }
let items: Flash[] = []
let count = 0
const listeners = new Set<() => void>()
const MOST = 5

function set(next: Flash[]): void {
  items = next
  for (const listener of listeners) listener()
}
export const dismiss = (id: string): void => set(items.filter(item => item.id !== id))

/** Shows a message; one with the same id takes its place. */
export function flash(message: Omit<Flash, 'id'> & { id?: string }): string {
  const id = message.id ?? `flash-${++count}`
  set([{ ...message, id }, ...items.filter(item => item.id !== id)].slice(0, MOST))
  return id
}
export const useFlashes = (): Flash[] =>
  useSyncExternalStore(
    callback => {
      listeners.add(callback)
      return () => listeners.delete(callback)
    },
    () => items,
  )
