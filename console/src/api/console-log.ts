/** A guest's console, read again and again. */
import { useEffect, useState } from 'react'
import { call } from './call'

const LOOK_MS = 2000

export async function consoleOutput(id: string): Promise<string> {
  const { Output } = await call('ec2', 'GetConsoleOutput', { InstanceId: id, Latest: true })
  return Output ? new TextDecoder().decode(Uint8Array.from(atob(Output as string), c => c.charCodeAt(0))) : ''
}

/** The console of an instance, read again and again until `until` holds. */
export function useConsole(id: string, on: boolean, until: (log: string) => boolean = () => false): { log: string; error?: string } {
  const [state, set] = useState<{ log: string; error?: string }>({ log: '' })
  useEffect(() => {
    let timer: number | undefined
    let over = !on
    async function look(): Promise<void> {
      const next = await consoleOutput(id).then(
        log => ({ log }),
        (error: Error) => ({ log: '', error: error.message }),
      )
      if (over) return
      set(before => ('error' in next ? { ...before, error: next.error } : next))
      if (!until(next.log)) timer = window.setTimeout(() => void look(), LOOK_MS)
    }
    if (on) void look()
    return () => {
      over = true
      clearTimeout(timer)
    }
  }, [id, on])
  return state
}
