/** A guest's console, and what its boot has come to, as its own lines tell. */
import { call } from './call'
import { useEffect, useState } from 'react'

const LOOK_MS = 2000

export async function consoleOutput(id: string): Promise<string> {
  const { Output } = await call('ec2', 'GetConsoleOutput', { InstanceId: id, Latest: true })
  return Output ? new TextDecoder().decode(Uint8Array.from(atob(Output as string), c => c.charCodeAt(0))) : ''
}

// Escape sequences of colours and cursors, which a page shows as noise.
// oxlint-disable-next-line no-control-regex
const ESCAPES = /\u001b\[[0-9;?]*[A-Za-z]|\u001b[()][A-Z0-9]|\r/g
export const plainLog = (text: string): string => text.replace(ESCAPES, '')

export type Phases = { dhcp: boolean; imds: boolean; userData: boolean; ready: boolean; userDataLog: string }

export function phasesOf(log: string): Phases {
  const lines = plainLog(log).split('\n')
  const from = lines.findIndex(line => /Cloud-init v\..* running 'modules:final'/.test(line))
  const to = lines.findIndex(line => /Cloud-init v\..* finished at/.test(line))
  const own = from < 0 ? [] : lines.slice(from + 1, to < 0 ? undefined : to)
  return {
    dhcp: /ci-info: .*\|\s+True\s+\|\s+\d+\.\d+/.test(log),
    imds: /Datasource DataSourceEc2|ci-info: .*(ens|eth)/.test(log),
    userData: from >= 0,
    ready: to >= 0,
    userDataLog: own
      .map(line => line.replace(/^\[\s*\d+\.\d+\] cloud-init\[\d+\]: /, ''))
      .join('\n')
      .trim(),
  }
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
